// The Inspector's command line that keeps connections (mcpdo), against the fixture server: questions in both eras, and tasks.
//   node mcpdo.mjs URL

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { assert, check, textOf } from '../e2e/checks.mjs';
import { send } from '../e2e/tasks-port.mjs';

const [url] = process.argv.slice(2);
if (url === undefined) {
  console.error('node mcpdo.mjs URL');
  process.exit(2);
}
const program = new URL('node_modules/.bin/mcpdo', import.meta.url).pathname;
// its catalog, its keys and the process that keeps connections are this test's own
const home = await mkdtemp(join(tmpdir(), 'mcpfn-mcpdo-'));
const environment = { ...process.env, HOME: home, MCP_CATALOG_PATH: join(home, 'mcp.json'), MCP_INSPECTOR_SECRET_STORE: 'memory' };

/** Runs it, and gives its exit status and what it wrote. */
function run(words) {
  return new Promise((done) => {
    execFile(process.execPath, [program, ...words], { env: environment }, (error, out, errors) => {
      done({ status: error?.code ?? 0, out, errors });
    });
  });
}

/** What a command of a connection gives. */
async function on(connection, ...words) {
  const { status, out, errors } = await run(['--connection', connection, '--format', 'json', ...words]);
  assert(status === 0, `status ${status}: ${errors || out}`);
  return JSON.parse(out);
}

/** Begins a task, as any client may: whom nobody recognises is one caller with all others. */
async function begun(tool, args) {
  const { result } = await send(url, { method: 'tools/call', params: { name: tool, arguments: args } });
  assert(result?.taskId, JSON.stringify(result));
  return result.taskId;
}

/** A task, as soon as it is in this state. */
async function when(id, status) {
  for (;;) {
    // as it came, beside what mcpdo makes of it
    const { raw: task } = (await on('modern', 'tasks/get', id)).task;
    if (task.status === status) return task;
    assert(task.status === 'working', JSON.stringify(task));
  }
}

for (const line of (await run(['private'])).out.split('\n')) {
  const [, name, value] = /^export (\w+)='?([^']*)'?;?$/.exec(line.trim()) ?? [];
  if (name !== undefined) environment[name] = value;
}
for (const era of ['modern', 'legacy']) {
  await check(`mcpdo ${era}: connects`, async () => {
    const { protocolEra } = await on(era, 'connect', url, '--transport', 'http', '--era', era);
    assert(protocolEra === era, `it speaks ${protocolEra}`);
  });
  for (const [answer, said] of [['name:=Ada', 'Hello, Ada!'], ['--decline', 'stranger'], ['--cancel', 'stranger']]) {
    await check(`mcpdo ${era}: a question is answered with ${answer}`, async () => {
      const { elicitationPending } = await on(era, 'tools/call', 'test_streaming_elicitation', '{}');
      assert(elicitationPending?.mode === 'form', JSON.stringify(elicitationPending));
      const result = await on(era, 'elicitation/respond', elicitationPending.elicitationId, answer);
      assert(textOf(result).includes(said), JSON.stringify(result));
    });
  }
  await check(`mcpdo ${era}: a tool that can be a task has its result behind a call`, async () => {
    const result = await on(era, 'tools/call', 'count_slowly', '{"to": 2, "step_ms": 300}');
    assert(textOf(result) === 'counted from 0 to 2', JSON.stringify(result));
  });
}
await check('mcpdo: what a task asks is answered', async () => {
  const first = await on('modern', 'tools/call', 'multi_input', '{}');
  assert(first.elicitationPending?.origin === 'task-input-required', JSON.stringify(first));
  const second = await on('modern', 'elicitation/respond', first.elicitationPending.elicitationId, 'name:=Ada');
  const result = await on('modern', 'elicitation/respond', second.elicitationPending.elicitationId, 'name:=Bob');
  assert(textOf(result) === 'both answered', JSON.stringify(result));
});
await check('mcpdo: a task is polled to its result by its id', async () => {
  const task = await when(await begun('count_slowly', { to: 4, step_ms: 300 }), 'completed');
  assert(textOf(task.result) === 'counted from 0 to 4', JSON.stringify(task));
});
await check('mcpdo: a task is answered by its id', async () => {
  const id = await begun('multi_input', {});
  const { inputRequests } = await when(id, 'input_required');
  const answer = { action: 'accept', content: { name: 'Ada' } };
  const answers = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, answer]));
  await on('modern', 'tasks/update', id, '--input-responses', JSON.stringify(answers));
  const task = await when(id, 'completed');
  assert(textOf(task.result) === 'both answered', JSON.stringify(task));
});
await check('mcpdo: a task is cancelled by its id', async () => {
  const id = await begun('slow_compute', { seconds: 60 });
  await on('modern', 'tasks/cancel', id);
  await when(id, 'cancelled');
});
await check('mcpdo: a task that there is not is an error with its reason', async () => {
  const { status, errors } = await run(['--connection', 'modern', '--format', 'json', 'tasks/get', 'nothing']);
  assert(status !== 0 && /task/i.test(errors), `status ${status}: ${errors}`);
});
await run(['daemon', 'stop']);
await rm(home, { recursive: true, force: true });
