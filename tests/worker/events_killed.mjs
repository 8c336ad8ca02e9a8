// workerd killed in the middle of a delivery, and started again over the same disk: the event arrives, and so does what happened to a
// receiver that had not answered yet. Arguments: the program workerd, its configuration, the URLs of the receiver, the queue, the server.

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { assert, check } from '../e2e/checks.mjs';

const [workerd, config, receiver, broker, server] = process.argv.slice(2);
// a receiver that is asked for the first time by a process is slow, and the attempt after it is answered
const PATIENCE_MS = 60_000;

let id = 0;
const ask = async (method, params) => {
  const response = await fetch(`${server}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': params.name, 'x-api-key': 'robot-key' },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params: { ...params, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } }),
  });
  const answer = await response.json();
  assert(answer.result, JSON.stringify(answer));
  return answer.result;
};
const got = async (to) => (await fetch(`${receiver}/sent?to=${to}`)).json();
const once = async (what, wanted) => {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await what();
    if (wanted(found)) return found;
    assert(Date.now() < end, JSON.stringify(found));
    await sleep(100);
  }
};

let running;
const start = async () => {
  running = spawn(workerd, ['serve', '--experimental', config], { stdio: 'inherit' });
  for (let tries = 0; ; tries += 1) {
    try {
      await fetch(`${server}/mcp`);
      return;
    } catch (error) {
      assert(tries < 100, `workerd does not listen: ${error}`);
      await sleep(100);
    }
  }
};
const kill = async () => {
  const gone = new Promise((done) => running.once('exit', done));
  running.kill('SIGKILL');
  await gone;
};

await start();
try {
  const delivery = { mode: 'webhook', url: 'https://hooks.example/slow/killed', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
  await ask('events/subscribe', { name: 'thing.happened', delivery });
  const { cursor } = await ask('events/poll', { name: 'thing.happened' });
  const happened = await ask('tools/call', { name: 'happen', arguments: { what: 'killed' } });
  const eventId = happened.content[0].text;
  // the receiver has it, and says nothing
  await once(() => got('/slow/killed'), (sent) => sent.length === 1);
  await kill();
  const killed = Date.now();
  await start();
  // its memory is gone: what it says now, it got from the new process
  await check('killed: an event in the middle of its delivery arrives', async () => {
    const sent = await once(() => got('/slow/killed'), (sent) => sent.some(({ done }) => done));
    assert(sent.every((one) => one.id === eventId), JSON.stringify(sent));
    console.log(`  it arrived ${Date.now() - killed} ms after the end, ${sent.length} times`);
  });
  await check('killed: what was emitted before is still asked for', async () => {
    const poll = await ask('events/poll', { name: 'thing.happened', cursor });
    assert(poll.events.length === 1 && poll.events[0].eventId === eventId, JSON.stringify(poll));
  });
  const queue = await (await fetch(`${broker}/messages`)).json();
  assert(queue.messages.every(({ dead }) => dead === 0), JSON.stringify(queue));
} finally {
  await kill();
}
