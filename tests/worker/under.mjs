// A program of tests under `wrangler dev`, with the stores that only wrangler brings to this machine. Arguments: NAME CONFIGURATION STATE
// for each Worker, `--`, the program and its arguments. MCPFN_TEST_WORKER tells the program where each listens.

import { spawn } from 'node:child_process';

import { wrangler } from './wrangler.mjs';

const end = process.argv.indexOf('--');
const workers = process.argv.slice(2, end);
const [program, ...args] = process.argv.slice(end + 1);

async function serve(first, places, logs) {
  if (first < workers.length) {
    const [name, config, state] = workers.slice(first, first + 3);
    await wrangler(config, state, (url, log) => serve(first + 3, [...places, `${name}=${url.port}`], [...logs, [name, log]]));
    return;
  }
  const tests = spawn(program, args, { stdio: 'inherit', env: { ...process.env, MCPFN_TEST_WORKER: places.join(' ') } });
  const status = await new Promise((ended) => tests.once('exit', ended));
  if (status === 0) return;
  for (const [name, log] of logs) console.error(`--- the log of ${name}\n${log()}`);
  process.exitCode = 1;
}

await serve(0, [], []);
