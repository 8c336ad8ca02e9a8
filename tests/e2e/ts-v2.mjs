// The TypeScript SDK 2.x as a client, in both eras it speaks: 2026-07-28, and the handshake revisions, which are its
// default.

import { createHash } from 'node:crypto';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { answerOf, askedChecks, assert, check, checkWithoutEvents, commonChecks, readArguments, textOf } from './checks.mjs';

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

/** Any result: the SDK has no methods for extensions. */
const any = { '~standard': { version: 1, vendor: 'mcpfn', validate: (value) => ({ value }) } };
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

  await check(`${prefix} lists skills, and the bytes are those of their digests`, async () => {
    const settings = client.getServerCapabilities().extensions?.['io.modelcontextprotocol/skills'];
    assert(settings?.directoryRead === true, `the settings are ${JSON.stringify(settings)}`);
    const { skills } = await client.request({ method: 'skills/list', params: {} }, any);
    assert(skills.length === 2, JSON.stringify(skills));
    for (const { uri, digest, size } of skills.flatMap((skill) => skill.resources)) {
      const { contents: [{ text, blob }] } = await client.readResource({ uri });
      const bytes = text === undefined ? Buffer.from(blob, 'base64') : Buffer.from(text);
      const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      assert(found === digest && bytes.length === size, `${uri}: ${found}, ${bytes.length} bytes`);
    }
  });

  if (era === 'legacy') {
    await checkWithoutEvents(prefix, client, () => client.request({ method: 'events/list', params: {} }, any));
  } else {
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
