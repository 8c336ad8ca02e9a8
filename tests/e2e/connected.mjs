// Servers of other SDKs through `cargo mcpfn connect`, for a client that starts programs: the TypeScript SDK 2.x, in both eras it
// speaks. A server that does not speak 2026-07-28 is asked in its own.
//
//     node connected.mjs CARGO-MCPFN modern|legacy NAME=URL..

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { assert, check, textOf } from './checks.mjs';

const [command, era, ...servers] = process.argv.slice(2);
if (!command || !era || servers.length === 0) {
  console.error('node connected.mjs CARGO-MCPFN modern|legacy NAME=URL..');
  process.exit(2);
}

for (const entry of servers) {
  const [name, url] = [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)];
  const named = (what) => `connect ${era} to ${name}: ${what}`;
  const versionNegotiation = { mode: era === 'modern' ? 'auto' : 'legacy' };
  const client = new Client({ name: 'mcpfn-e2e', version: '0.0.0' }, { versionNegotiation });
  const call = (tool, args = {}, options = undefined) => client.callTool({ name: tool, arguments: args }, options);
  await check(named('connects'), async () => {
    const transport = new StdioClientTransport({ command, args: ['connect', url], stderr: 'inherit' });
    await client.connect(transport, { timeout: 20_000 });
    const speaks = name.endsWith('-2026') ? era : 'legacy';
    assert(client.getProtocolEra() === speaks, `the client settled on the ${client.getProtocolEra()} era`);
  });
  await check(named('calls a tool'), async () => {
    const tools = (await client.listTools()).tools.map((tool) => tool.name);
    assert(tools.includes('add'), `add is not among: ${tools.join(', ')}`);
    const result = await call('add', { a: 2, b: 3 });
    assert(!result.isError && /\b5\b/.test(textOf(result)), `2 + 3 gave: ${textOf(result)}`);
  });
  await check(named('is told what is wrong'), async () => {
    const failed = await call('fail');
    assert(failed.isError === true && /never works|fail/.test(textOf(failed)), `it is ${textOf(failed)}`);
    const wrong = await call('add', { a: 'x' }).catch((error) => ({ isError: true, error }));
    assert(wrong.isError === true, `the call succeeded: ${textOf(wrong)}`);
  });
  await check(named('receives progress in its order'), async () => {
    const seen = [];
    const worked = await call('work', {}, { onprogress: ({ progress }) => seen.push(progress) });
    assert(!worked.isError, `the call failed: ${textOf(worked)}`);
    // a server without streams sends none, and the client forgets those that come in one piece with the answer
    assert('1,2,3'.startsWith(seen.join()), `progress was ${seen.join()}`);
  });
  await check(named('reads resources and gets a prompt'), async () => {
    const { contents } = await client.readResource({ uri: 'note://1' });
    assert(contents[0].text === 'the first note', JSON.stringify(contents));
    const templated = await client.readResource({ uri: 'note://by/ada' });
    assert(templated.contents[0].text === 'by ada', JSON.stringify(templated));
    const { messages } = await client.getPrompt({ name: 'review', arguments: { note: 'x' } });
    assert(messages[0].content.text === 'Review x', JSON.stringify(messages));
  });
  await client.close();
}
