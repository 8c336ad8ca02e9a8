// The stores behind the ports, really used: results in KV, rate limits in a rate-limit binding. Arguments: the folder of the fixture
// server's bundle, an empty folder for wrangler's state.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { assert, check, textOf } from '../e2e/checks.mjs';
import { wrangler } from './wrangler.mjs';

const [bundle, state] = process.argv.slice(2);
const config = join(bundle, 'wrangler.toml');
const written = `
name = "stores"
main = "index.js"
no_bundle = true
compatibility_date = "2026-10-01"
compatibility_flags = ["enable_request_signal", "global_fetch_strictly_public"]
rules = [{ type = "CompiledWasm", globs = ["**/*.wasm"] }]

[vars]
MCPFN_AUTH = "none"
MCPFN_LOG = "info"
TEST_SERVER = "watched"

[[kv_namespaces]]
binding = "CACHE"
id = "results"

[[ratelimits]]
name = "RATE_3_PER_10"
namespace_id = "1001"
simple = { limit = 3, period = 10 }
`;

/** Calls a tool of the Worker at an address. */
const caller = (url) => {
  let id = 0;
  return async (name, args = {}) => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method: 'tools/call', params: { name, arguments: args, _meta } }),
    });
    return { status: response.status, ...(await response.json()) };
  };
};

await writeFile(config, written);
await wrangler(config, state, async (url, log) => {
  const call = caller(url);
  const kept = async (key) => textOf((await call('kept', { key })).result);
  await check('stores: a result is kept in KV for its arguments', async () => {
    const first = await kept('a');
    assert(await kept('a') === first, `the second call was answered anew: ${log()}`);
    assert(await kept('b') !== first, 'other arguments have a result of their own');
    assert(log().includes('"cache":"hit"'), log());
  });
  // one of the two waits in its own request for what the other's request makes
  await check('stores: equal calls at the same time are both answered', async () => {
    const patience = new Promise((_, fail) => setTimeout(() => fail(new Error(`no answer: ${log()}`)), 10_000).unref());
    const [one, other] = await Promise.race([Promise.all([kept('c'), kept('c')]), patience]);
    assert(one.endsWith('was for c') && other.endsWith('was for c'), `${one}, ${other}`);
    console.log(`  ${one}, ${other}`);
  });
  await check('stores: no store failed', async () => assert(!log().includes('a store or a service is unavailable'), log()));
});

await writeFile(config, written.replace('MCPFN_LOG = "info"', 'MCPFN_LOG = "info"\nMCPFN_RATE_LIMIT = "3/10s"'));
await wrangler(config, state, async (url) => {
  const call = caller(url);
  // windows begin by the clock, and one may begin between two calls: of seven, at most two times three are in two of them
  await check('stores: the rate-limit binding refuses the call after the third', async () => {
    const answers = [];
    for (let number = 0; number < 7; number += 1) answers.push(await call('kept', { key: `${number}` }));
    assert(answers.slice(0, 3).every((answer) => answer.result), JSON.stringify(answers));
    const refused = answers.filter((answer) => answer.error?.message.includes('too many calls'));
    assert(refused.length > 0 && refused.every((answer) => !answer.result), JSON.stringify(answers));
  });
});
