// A task of a client of @modelcontextprotocol/ext-tasks whose instance is killed in the middle: the client starts anew, with what
// it wrote down, at another instance, and gets the result.
//
//     node killed.mjs --url URL --other URL --pid PROCESS

import { resultFromTaskOutcome, withTasks } from '@modelcontextprotocol/ext-tasks/client';

import { assert, check, readArguments, textOf } from './checks.mjs';
import { portOf, send } from './tasks-port.mjs';

const { url, other, pid } = readArguments('killed.mjs');

await check('ext-tasks: a task outlives its instance, and its client', async () => {
  const session = withTasks(portOf(url));
  const execution = await session.callTool('count_slowly', { to: 8, step_ms: 500 });
  assert(execution.kind === 'task', execution.kind);
  let kept;
  await execution.handoff((reference) => {
    kept = JSON.stringify(reference);
  });
  const { taskId } = JSON.parse(kept);
  // two steps are kept before the end
  for (;;) {
    const { result } = await send(other, { method: 'tasks/get', params: { taskId } });
    assert(result?.status === 'working', JSON.stringify(result));
    if (Number.parseInt(result.statusMessage ?? '0', 10) >= 2) break;
  }
  process.kill(Number(pid), 'SIGKILL');
  const another = withTasks(portOf(other));
  const again = await another.resumeTask(JSON.parse(kept));
  const { outcome } = await again.settle();
  const text = textOf(resultFromTaskOutcome(outcome));
  const [, from] = /^counted from (\d+) to 8$/.exec(text) ?? [];
  assert(Number(from) >= 2, text);
  await another.close();
});
