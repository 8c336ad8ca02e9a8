// Events through the queue that wrangler brings: work comes to the Worker's handler, a delivery that fails comes again after its pause, and
// schedules run. Arguments: the folder of the fixture server's bundle, an empty folder for wrangler's state.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { assert, check } from '../e2e/checks.mjs';
import { wrangler } from './wrangler.mjs';

const [bundle, state] = process.argv.slice(2);
const config = join(bundle, 'wrangler.queued.toml');
const written = `
name = "queued"
main = "index.js"
no_bundle = true
compatibility_date = "2026-10-01"
compatibility_flags = ["enable_request_signal", "global_fetch_strictly_public"]
rules = [{ type = "CompiledWasm", globs = ["**/*.wasm"] }]

[vars]
MCPFN_AUTH = "api-key"
# of robot-key
MCPFN_API_KEYS = "robot:b2cfb5518f033861ee2dd12be0f7c0b95c23d0b8d1f4c32c8a788f77bc8a52be:held"
MCPFN_LOG = "info"
# nobody is there, and it is not asked whether it wants events
MCPFN_WEBHOOK_HOSTS = "127.0.0.1:9"
TEST_SERVER = "events"

[[durable_objects.bindings]]
name = "EVENTS"
class_name = "McpfnEvents"

[[migrations]]
tag = "events"
new_sqlite_classes = ["McpfnEvents"]

[[queues.producers]]
binding = "EVENT_QUEUE"
queue = "mcpfn-events"

[[queues.producers]]
binding = "EVENT_DEAD"
queue = "mcpfn-events-dead"

[[queues.consumers]]
queue = "mcpfn-events"
max_batch_size = 10
max_batch_timeout = 1
max_retries = 100
dead_letter_queue = "mcpfn-events-dead"
`;

const PATIENCE_MS = 40_000;
const until = async (what) => {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await what();
    if (found) return found;
    assert(Date.now() < end, `not within ${PATIENCE_MS} ms: ${what}`);
    await sleep(200);
  }
};

await writeFile(config, written);
await wrangler(config, state, async (url, log) => {
  let id = 0;
  const ask = async (method, params) => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': params.name, 'x-api-key': 'robot-key' },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params: { ...params, _meta } }),
    });
    const answer = await response.json();
    assert(answer.result, JSON.stringify(answer));
    return answer.result;
  };
  const name = 'thing.happened';
  await check('queued: an event is kept, and its delivery is tried again after its pause', async () => {
    const { cursor } = await ask('events/poll', { name });
    const delivery = { mode: 'webhook', url: 'https://127.0.0.1:9/nobody', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
    await ask('events/subscribe', { name, delivery });
    await ask('tools/call', { name: 'happen', arguments: { what: 'queued' } });
    const polled = await ask('events/poll', { name, cursor });
    assert(polled.events.length === 1, JSON.stringify(polled));
    const attempts = () => [...log().matchAll(/"event":"event_delivery"[^\n]*/g)].map(([line]) => line);
    await until(() => attempts().length >= 1);
    const first = Date.now();
    await until(() => attempts().length >= 2);
    assert(Date.now() - first > 8_000, `the pause was ${Date.now() - first} ms`);
    assert(attempts().every((line) => line.includes('connection_refused')), attempts().join('\n'));
  });
  await check('queued: a schedule is for the program', async () => {
    const { cursor } = await ask('events/poll', { name });
    const ran = await fetch(new URL('/cdn-cgi/handler/scheduled?cron=*+*+*+*+*', url));
    assert(ran.ok, `${ran.status} ${await ran.text()}`);
    await until(async () => (await ask('events/poll', { name, cursor })).events.some(({ data }) => data.cron === '* * * * *'));
  });
});
