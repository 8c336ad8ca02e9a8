// The client of tasks of @modelcontextprotocol/ext-tasks, over a transport of this script's own: the package leaves
// sending requests of 2026-07-28 to its host.

import { createApplicationInputHandler, resultFromTaskOutcome, withTasks } from '@modelcontextprotocol/ext-tasks/client';

import { assert, check, readArguments, textOf } from './checks.mjs';
import { portOf } from './tasks-port.mjs';

const { url } = readArguments('tasks.mjs');
const asked = [];
const session = withTasks(portOf(url), {
  onInputRequest: createApplicationInputHandler({
    elicitation: (request) => {
      asked.push(request);
      return { action: 'accept', content: { name: 'Alice', confirm: true } };
    },
    sampling: () => {
      throw new Error('nobody asks a model here');
    },
    roots: () => ({ roots: [] }),
  }),
});

async function settled(tool, params) {
  const execution = await session.callTool(tool, params);
  const { outcome } = await execution.settle();
  return { execution, outcome, text: outcome.status === 'completed' ? textOf(resultFromTaskOutcome(outcome)) : '' };
}

await check('ext-tasks: a call that is no task has its result at once', async () => {
  const { execution, text } = await settled('greet', { name: 'World' });
  assert(execution.kind === 'immediate' && text === 'Hello, World!', `${execution.kind}: ${text}`);
});
await check('ext-tasks: a task is polled to its result', async () => {
  const { execution, text } = await settled('slow_compute', { seconds: 1.5, label: 'x' });
  assert(execution.kind === 'task' && text === 'computed x in 1.5 s', `${execution.kind}: ${text}`);
});
await check('ext-tasks: what a task asks is answered', async () => {
  const { text } = await settled('multi_input', {});
  assert(text === 'both answered' && asked.length === 2, `${text}, ${asked.length} questions`);
});
await check('ext-tasks: a question before the task, and the task', async () => {
  asked.length = 0;
  const { execution, text } = await settled('test_tool_with_task', {});
  assert(execution.kind === 'task' && text === 'Hello, Alice!', `${execution.kind}: ${text}`);
});
await check('ext-tasks: a tool error is a result, a protocol error is none', async () => {
  const { outcome } = await settled('failing_job', {});
  assert(outcome.status === 'completed' && outcome.result.isError, JSON.stringify(outcome));
  const failed = await settled('protocol_error_job', {});
  assert(failed.outcome.status === 'failed', JSON.stringify(failed.outcome));
});
await check('ext-tasks: a task is cancelled', async () => {
  const execution = await session.callTool('slow_compute', { seconds: 60 });
  await execution.cancel();
  const { outcome } = await execution.settle();
  assert(outcome.status === 'cancelled', JSON.stringify(outcome));
});
await check('ext-tasks: a task is taken up by a client that starts anew', async () => {
  const execution = await session.callTool('count_slowly', { to: 3, step_ms: 300 });
  let kept;
  await execution.handoff((reference) => {
    kept = JSON.stringify(reference);
  });
  const another = withTasks(portOf(url));
  const again = await another.resumeTask(JSON.parse(kept));
  const { outcome } = await again.settle();
  const text = textOf(resultFromTaskOutcome(outcome));
  assert(text === 'counted from 0 to 3', text);
  await another.close();
});
await session.close();
