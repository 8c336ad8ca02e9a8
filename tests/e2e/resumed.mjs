// A server of the TypeScript SDK whose streams are closed while a call runs, and which keeps its events: the call comes to its
// end through `cargo mcpfn connect`, once. The connection is closed by the server, as its specification has it, or cut.

import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

import { assert, check, textOf } from './checks.mjs';

const [command] = process.argv.slice(2);
if (!command) {
  console.error('node resumed.mjs CARGO-MCPFN');
  process.exit(2);
}

let calls = 0;
let resumed = 0;
const sockets = new Map();
const events = [];
// that of the SDK's examples orders events of one millisecond by chance
const eventStore = {
  storeEvent: async (stream, message) => String(events.push({ stream, message }) - 1),
  getStreamIdForEventId: async (id) => events[id]?.stream,
  replayEventsAfter: async (id, { send }) => {
    const { stream } = events[id];
    for (let next = Number(id) + 1; next < events.length; next += 1) {
      if (events[next].stream === stream) {
        await send(String(next), events[next].message);
      }
    }
    return stream;
  },
};
const server = new McpServer({ name: 'resumable', version: '1.0.0' });
const until = async (holds) => {
  while (!holds()) {
    await new Promise((done) => setImmediate(done));
  }
};
const slow = (ways) => async (extra) => {
  calls += 1;
  await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: extra._meta.progressToken, progress: 1 } });
  const asked = resumed;
  await ways(extra);
  // the rest comes when the client is back
  await until(() => resumed > asked);
  await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: extra._meta.progressToken, progress: 2 } });
  return { content: [{ type: 'text', text: 'whole' }] };
};
server.registerTool('closed', { description: 'Closes its stream.' }, slow((extra) => extra.closeSSEStream()));
server.registerTool('cut', { description: 'Cuts its connection.' }, slow(async (extra) => {
  const { socket, before } = sockets.get(extra.requestId);
  // not before the first report is on its way
  await until(() => socket.bytesWritten > before + 300 && socket.writableLength === 0);
  socket.destroy();
}));

const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, eventStore, retryInterval: 100 });
await server.connect(transport);
const http = createServer((request, response) => {
  resumed += request.headers['last-event-id'] ? 1 : 0;
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const body = pieces.length > 0 ? JSON.parse(Buffer.concat(pieces)) : undefined;
    sockets.set(body?.id, { socket: request.socket, before: request.socket.bytesWritten });
    transport.handleRequest(request, response, body);
  });
});
await new Promise((done) => http.listen(0, '127.0.0.1', done));

const url = `http://127.0.0.1:${http.address().port}/mcp`;
const client = new Client({ name: 'mcpfn-e2e', version: '0.0.0' });
await client.connect(new StdioClientTransport({ command, args: ['connect', url], stderr: 'inherit' }));
for (const tool of ['closed', 'cut']) {
  await check(`connect: a stream that is ${tool} goes on`, async () => {
    const [before, reports] = [calls, []];
    const options = { onprogress: ({ progress }) => reports.push(progress), timeout: 20_000 };
    const result = await client.callTool({ name: tool, arguments: {} }, options);
    assert(textOf(result) === 'whole', JSON.stringify(result));
    assert(calls === before + 1, `${calls - before} calls`);
    // the client forgets a report that comes in one piece with the answer
    assert(['1', '1,2'].includes(String(reports)), `reports ${reports}`);
  });
}
await client.close();
http.closeAllConnections();
http.close();
