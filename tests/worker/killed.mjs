// workerd killed in the middle of tasks, and started again over the same disk: each goes on at its checkpoint, also without a client
// that asks for it. Arguments: the program workerd, its configuration, the URL of the server of the fixtures in it.

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { assert, check } from '../e2e/checks.mjs';

const [workerd, config, url] = process.argv.slice(2);
const STEPS = 8;
// a run is looked after 50 s after its start; then come the steps that are left
const ALONE_MS = 65_000;

let id = 0;
/** Asks the server, as a client that does tasks. */
const ask = async (method, params, name) => {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
  };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': name },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params: { ...params, _meta } }),
  });
  const answer = await response.json();
  assert(answer.result, JSON.stringify(answer));
  return answer.result;
};
const begin = async () => (await ask('tools/call', { name: 'count_slowly', arguments: { to: STEPS, step_ms: 1000 } }, 'count_slowly')).taskId;
const get = (taskId) => ask('tasks/get', { taskId }, taskId);

/** The task, once it is as wanted. */
const once = async (taskId, wanted, milliseconds) => {
  const end = Date.now() + milliseconds;
  for (;;) {
    const task = await get(taskId);
    if (wanted(task)) return task;
    assert(Date.now() < end, JSON.stringify(task));
    await sleep(250);
  }
};

let running;
const start = async () => {
  running = spawn(workerd, ['serve', config], { stdio: 'inherit' });
  for (let tries = 0; ; tries += 1) {
    try {
      await fetch(url);
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

/** What a task says of where its last run began and ended. */
const resumed = (task) => {
  assert(task.status === 'completed', JSON.stringify(task));
  const text = task.result.content[0].text;
  const [, from, to] = /^counted from (\d+) to (\d+)$/.exec(text).map(Number);
  assert(from >= 2 && to === STEPS, text);
  return text;
};

await start();
try {
  const began = Date.now();
  const [asked, alone] = [await begin(), await begin()];
  const further = (task) => /^[2-9] of /.test(task.statusMessage ?? '');
  await Promise.all([asked, alone].map((task) => once(task, further, 10_000)));
  await kill();
  await start();
  await check('killed: a task goes on at its checkpoint once it is asked for', async () => {
    console.log(`  ${resumed(await once(asked, (task) => task.status !== 'working', ALONE_MS))} after ${Date.now() - began} ms`);
  });
  await check('killed: a task that nobody asks for goes on, too', async () => {
    await sleep(Math.max(0, began + ALONE_MS - Date.now()));
    console.log(`  ${resumed(await get(alone))}`);
  });
} finally {
  await kill();
}
