// Servers whose streams are closed while a call runs, and which keep their events (resumable.mjs, python/resumable.py): the call
// comes to its end through `cargo mcpfn connect`, once. The stream is closed by the server, as its specification has it, or
// cut by what is in between.
//
//     node resumed.mjs CARGO-MCPFN NAME=URL..

import { createServer, request as ask } from 'node:http';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { assert, check, textOf } from './checks.mjs';

const [command, ...servers] = process.argv.slice(2);
if (!command || servers.length === 0) {
  console.error('node resumed.mjs CARGO-MCPFN NAME=URL..');
  process.exit(2);
}

/** Passes everything on, and cuts the connection of a call to `cut` after its first report. */
function between(url) {
  return createServer((incoming, response) => {
    const pieces = [];
    incoming.on('data', (piece) => pieces.push(piece));
    incoming.on('end', () => {
      const body = Buffer.concat(pieces);
      const cuts = body.includes('"name":"cut"');
      const options = { method: incoming.method, headers: { ...incoming.headers, host: new URL(url).host } };
      const outgoing = ask(url, options, (answer) => {
        let heard = '';
        response.writeHead(answer.statusCode, answer.headers);
        response.flushHeaders();
        answer.on('data', (piece) => {
          heard += piece;
          response.write(piece, () => {
            if (cuts && /"progress":\s*1/.test(heard)) {
              incoming.socket.destroy();
            }
          });
        });
        answer.on('end', () => response.end());
      });
      // whoever left hears no more
      outgoing.on('error', () => response.destroy());
      response.on('close', () => outgoing.destroy());
      outgoing.end(body);
    });
  });
}

for (const entry of servers) {
  const [name, url] = [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)];
  const proxy = between(url);
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  const client = new Client({ name: 'mcpfn-e2e', version: '0.0.0' });
  const args = ['connect', `http://127.0.0.1:${proxy.address().port}/mcp`];
  await client.connect(new StdioClientTransport({ command, args, stderr: 'inherit' }));
  const count = async () => Number(textOf(await client.callTool({ name: 'calls', arguments: {} })));
  for (const tool of ['closed', 'cut']) {
    await check(`connect: a stream of ${name} that is ${tool} goes on`, async () => {
      const [before, reports] = [await count(), []];
      const options = { onprogress: ({ progress }) => reports.push(progress), timeout: 20_000 };
      const result = await client.callTool({ name: tool, arguments: {} }, options);
      assert(textOf(result) === 'whole', JSON.stringify(result));
      const calls = (await count()) - before;
      assert(calls === 1, `${calls} calls`);
      // the client forgets a report that comes in one piece with the answer
      assert(['1', '1,2'].includes(String(reports)), `reports ${reports}`);
    });
  }
  await client.close();
  proxy.closeAllConnections();
  proxy.close();
}
