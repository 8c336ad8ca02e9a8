// Servers as processes, on a free port of loopback each.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const running = [];

/** Starts a program and gives the address that it prints, with a slash at its end. */
export async function serve(program, variables = {}, port = '0') {
  const child = spawn(program, ['--port', port], { env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let log = '';
  child.stderr.on('data', (text) => { log += text; });
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /^listening on (.*\/)mcp$/.exec(line);
    if (found) {
      child.stdout.resume();
      return found[1];
    }
  }
  throw new Error(`${program} ended without an address: ${log}`);
}

export function stopAll() {
  for (const child of running) child.kill();
}
