// `wrangler dev` for as long as somebody needs it: a Worker with its bindings on this machine.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/**
 * Runs `wrangler dev` with a configuration, a folder for local state and more arguments while `use` does, and gives it the address and
 * the log.
 */
export async function wrangler(config, state, use, more = []) {
  const [port, inspector] = [await freePort(), await freePort()];
  const program = resolve('node_modules/wrangler/wrangler-dist/cli.js');
  const dev = spawn(process.execPath, [program, 'dev', '--config', config, '--env', '', '--local', '--persist-to', state, '--ip', '127.0.0.1', '--port', port, '--inspector-port', inspector, '--show-interactive-dev-session=false', ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: '1', NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
  });
  let log = '';
  const ended = new Promise((end) => dev.once('exit', end));
  try {
    await new Promise((ready, fail) => {
      const patience = setTimeout(() => fail(new Error(`wrangler dev is not ready: ${log}`)), 60_000);
      ended.then(() => fail(new Error(`wrangler dev ended: ${log}`)));
      for (const stream of [dev.stdout, dev.stderr]) {
        stream.on('data', (data) => {
          log += data;
          if (log.includes('Ready on')) {
            clearTimeout(patience);
            ready();
          }
        });
      }
    });
    await use(new URL(`http://127.0.0.1:${port}/mcp`), () => log);
  } finally {
    dev.kill('SIGTERM');
    await ended;
  }
}
