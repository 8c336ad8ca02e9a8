// The TypeScript SDK 1.x as a client: the handshake revisions, which is what most installed clients speak.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ResultSchema } from '@modelcontextprotocol/sdk/types.js';

import { answerOf, askedChecks, assert, check, checkWithoutEvents, commonChecks, readArguments } from './checks.mjs';

const { url, stdio, asked: asksToo } = readArguments('ts-v1.mjs');
const prefix = `ts-v1 ${stdio ? (url ? 'connect' : 'stdio') : 'http'}:`;
const transport = stdio
  ? new StdioClientTransport({ command: stdio, args: url ? ['connect', url] : ['--stdio'] })
  : new StreamableHTTPClientTransport(new URL(url));
const client = new Client({ name: 'mcpfn-e2e', version: '0.0.0' }, { capabilities: { elicitation: {} } });
const answers = { action: 'accept' };
client.setRequestHandler(ElicitRequestSchema, () => answerOf(answers));

await check(`${prefix} connects`, async () => {
  await client.connect(transport);
  assert(client.getServerVersion()?.name, 'the server did not say its name');
});
if (!process.exitCode) {
  const call = (name, args, options) => client.callTool({ name, arguments: args }, undefined, options);
  await commonChecks(prefix, client, call);
  await checkWithoutEvents(prefix, client, () => client.request({ method: 'events/list', params: {} }, ResultSchema));
  if (asksToo) {
    await askedChecks(prefix, answers, call);
  }
}
await client.close();
