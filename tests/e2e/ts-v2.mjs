// The TypeScript SDK 2.x as a client, in both eras it speaks: 2026-07-28, and the handshake revisions, which are its
// default.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { answerOf, askedChecks, assert, check, commonChecks, readArguments, textOf } from './checks.mjs';

const { url, stdio, era = 'modern', asked: asksToo } = readArguments('ts-v2.mjs');
const prefix = `ts-v2 ${era} ${stdio ? (url ? 'connect' : 'stdio') : 'http'}:`;
const transport = stdio
  ? new StdioClientTransport({ command: stdio, args: url ? ['connect', url] : ['--stdio'] })
  : new StreamableHTTPClientTransport(new URL(url));
const client = new Client(
  { name: 'mcpfn-e2e', version: '0.0.0' },
  {
    capabilities: { elicitation: {} },
    // `auto` probes and may fall back, as an application would; that it must not fall back here is checked below.
    versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' },
  },
);

const asked = [];
const answers = { action: 'accept' };
client.setRequestHandler('elicitation/create', (request) => {
  asked.push(request.params.message);
  return answerOf(answers);
});

await check(`${prefix} connects`, async () => {
  await client.connect(transport);
  assert(client.getProtocolEra() === era, `the client settled on the ${client.getProtocolEra()} era`);
  const version = client.getNegotiatedProtocolVersion();
  assert((version === '2026-07-28') === (era === 'modern'), `the revision is ${version}`);
});
if (!process.exitCode) {
  const call = (name, args, options) => client.callTool({ name, arguments: args }, options);
  await commonChecks(prefix, client, call);

  if (era === 'modern') {
    // The client answers an input_required result by itself, with the handler above, and calls again.
    await check(`${prefix} answers a question the tool asks`, async () => {
      const result = await client.callTool({ name: 'test_input_required_result_elicitation', arguments: {} });
      assert(asked.length === 1, `the tool asked ${asked.length} times`);
      assert(!result.isError && textOf(result).length > 0, `the call failed: ${textOf(result)}`);
    });
  }
  if (asksToo) {
    await askedChecks(prefix, answers, call);
  }
}
await client.close();
