// The deployable server in front of four others: two of the TypeScript SDK 1.x (see servers.mjs), one of FastMCP
// (python/server.py), and the fixture server.
// The client is the TypeScript SDK 2.x.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { assert, check, textOf } from './checks.mjs';

const [front, servers, era = 'modern'] = process.argv.slice(2);
const secret = 'Bearer the-callers-own-token';
const prefix = `front ${era}:`;
const client = new Client(
  { name: 'mcpfn-e2e', version: '0.0.0' },
  { versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' } },
);
const call = (name, args = {}, options = undefined) => client.callTool({ name, arguments: args }, options);

await check(`${prefix} connects`, async () => {
  const headers = { authorization: secret };
  await client.connect(new StreamableHTTPClientTransport(new URL(front), { requestInit: { headers } }));
  assert(client.getProtocolEra() === era, `the client settled on the ${client.getProtocolEra()} era`);
});
await check(`${prefix} lists everything under its server's name`, async () => {
  const tools = (await client.listTools()).tools.map((tool) => tool.name);
  for (const name of ['hello_world', 'kept__add', 'plain__add', 'fast__add', 'everything__add']) {
    assert(tools.includes(name), `${name} is not among: ${tools.join(', ')}`);
  }
  const resources = (await client.listResources()).resources.map((resource) => resource.uri);
  for (const uri of ['kept+note://1', 'fast+note://1', 'everything+test://static-text']) {
    assert(resources.includes(uri), `${uri} is not among: ${resources.join(', ')}`);
  }
  const prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
  assert(prompts.includes('plain__review') && prompts.includes('everything__test_simple_prompt'), prompts.join(', '));
});
for (const server of ['kept', 'plain', 'fast', 'everything']) {
  await check(`${prefix} calls a tool of ${server}`, async () => {
    const result = await call(`${server}__add`, { a: 2, b: 3 });
    assert(!result.isError && /\b5\b/.test(textOf(result)), `2 + 3 gave: ${textOf(result)}`);
    const refused = await call(`${server}__add`, { a: 'x' });
    assert(refused.isError === true, `the call succeeded: ${textOf(refused)}`);
  });
}
await check(`${prefix} a workflow over two servers`, async () => {
  const seen = [];
  const worked = await call('kept__work', {}, { onprogress: ({ progress }) => seen.push(progress) });
  assert(seen.join() === '1,2,3', `progress was ${seen.join()}`);
  const { contents } = await client.readResource({ uri: worked.content[0].uri });
  assert(contents[0].text === 'the first note' && contents[0].uri === 'kept+note://1', JSON.stringify(contents));
  const { messages } = await client.getPrompt({ name: 'plain__review', arguments: { note: contents[0].text } });
  assert(messages[0].content.text === 'Review the first note', JSON.stringify(messages));
});
await check(`${prefix} reads through a template`, async () => {
  const { contents } = await client.readResource({ uri: 'plain+note://by/ada' });
  assert(contents[0].text === 'by ada', JSON.stringify(contents));
});
await check(`${prefix} a server of FastMCP reports, is read and gives a prompt`, async () => {
  const seen = [];
  const worked = await call('fast__work', {}, { onprogress: ({ progress }) => seen.push(progress) });
  assert(seen.join() === '1,2,3' && textOf(worked) === 'done', `${seen.join()}: ${textOf(worked)}`);
  for (const [uri, text] of [['fast+note://1', 'the first note'], ['fast+note://by/ada', 'by ada']]) {
    const { contents } = await client.readResource({ uri });
    assert(contents[0].text === text && contents[0].uri === uri, JSON.stringify(contents));
  }
  const { messages } = await client.getPrompt({ name: 'fast__review', arguments: { note: 'it' } });
  assert(messages[0].content.text === 'Review it', JSON.stringify(messages));
  const failed = await call('fast__fail');
  assert(failed.isError === true && textOf(failed).includes('it never works'), textOf(failed));
});
await check(`${prefix} a failing tool fails for the client`, async () => {
  const result = await call('kept__fail');
  assert(result.isError === true && textOf(result).includes('it never works'), textOf(result));
});
await check(`${prefix} a server that is not there hides no other`, async () => {
  const result = await call('gone__anything');
  assert(result.isError === true && textOf(result).startsWith('`gone` can\'t be reached'), textOf(result));
});
await check(`${prefix} no server gets the caller's token, and one gets its own`, async () => {
  const asked = await (await fetch(`${servers}/asked`)).json();
  assert(asked.length > 0 && !asked.some((line) => line.includes('the-callers-own-token')), asked.join('\n'));
  assert(asked.filter((line) => line.startsWith('/sessions')).every((line) => line.endsWith('Bearer own-token')), asked.join('\n'));
  assert(asked.filter((line) => line.startsWith('/stateless')).every((line) => line.endsWith('none')), asked.join('\n'));
});
await client.close();
