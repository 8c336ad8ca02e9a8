// The commands of infra/workers.md, as they stand there and in their order, by the pinned wrangler against a stand-in for Cloudflare's API.
// What is built is a Worker of one line: the deployed bundle has tests of its own. Arguments: the program mcpfn, an empty folder.

import { execFile } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { assert, check } from '../e2e/checks.mjs';
import { Account } from './cloudflare.mjs';

const [program, folder] = process.argv.slice(2);
const root = resolve('../..');
const document = await readFile(join(root, 'infra/workers.md'), 'utf8');
const commands = [...document.matchAll(/^```sh\n([^]*?)^```/gm)]
  .flatMap(([, block]) => block.replaceAll('\\\n', ' ').trim().split('\n'))
  .map((line) => line.replace(/\s{2,}#.*$/, '').trim());

const settings = await readFile(join(root, 'wrangler.toml'), 'utf8');
const built = settings.replace(/^\[build\]\n(.+\n)*/m, '').replace(/^main = .*$/m, 'main = "index.js"');
await writeFile(join(folder, 'wrangler.toml'), built);
await writeFile(join(folder, 'index.js'), 'export default { fetch: () => new Response() };');
await writeFile(join(folder, 'documents.sql'), 'SELECT 1;');
await symlink(join(root, 'infra'), join(folder, 'infra'));

const account = await new Account().start();

/** Runs wrangler, and gives its status and everything that it says. */
async function wrangler(command) {
  const args = command.split(' ').slice(1).map((word) => word.replaceAll('"', ''));
  const environment = {
    CI: '1', NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    CLOUDFLARE_API_BASE_URL: account.url, CLOUDFLARE_API_TOKEN: 'token', CLOUDFLARE_ACCOUNT_ID: 'account', PATH: process.env.PATH, HOME: folder,
  };
  const cli = resolve('node_modules/wrangler/wrangler-dist/cli.js');
  const run = promisify(execFile)(process.execPath, [cli, ...args], { cwd: folder, env: environment, timeout: 120_000 });
  const { code = 0, stdout, stderr } = await run.catch((error) => error);
  return { code, said: `${stdout}\n${stderr}` };
}

/** Runs a command that the document has. */
async function documented(command) {
  assert(commands.includes(command), `infra/workers.md has no \`${command}\` any more`);
  const { code, said } = await wrangler(command);
  assert(code === 0 && !said.includes('Multiple environments'), `${command} ended with ${code}: ${said}\n${account.asked.join('\n')}`);
  return said;
}

const tables = () => account.databases.get('mcpfn').database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all().map(({ name }) => name);
const count = (table) => account.databases.get('mcpfn').database.prepare(`SELECT count(*) AS n FROM ${table}`).get().n;
const versions = () => account.workers.get('mcpfn').versions;
const current = () => account.workers.get('mcpfn').deployments[0].versions;

try {
  await check('newcomer: a first deployment without its secrets names them, and creates and sends nothing', async () => {
    const { code, said } = await wrangler('wrangler deploy --env=""');
    assert(code !== 0 && said.includes('MCPFN_API_KEYS') && said.includes('MCPFN_STATE_KEY') && said.includes('--secrets-file'), said);
    assert(account.asked.every((request) => request.startsWith('GET ')), account.asked.join('\n'));
  });
  await check('newcomer: the three commands deploy, create what is missing, and find it by its names', async () => {
    assert(commands.includes('cargo run -- key NAME --scopes "*"'), 'the command for a key');
    const { stdout } = await promisify(execFile)(program, ['key', 'NAME', '--scopes', '*']);
    const entry = /NAME:[0-9a-f]{64}:\*/.exec(stdout)[0];
    const lines = /```text\n(MCPFN_API_KEYS=[^]*?)```/.exec(document)[1];
    await writeFile(join(folder, 'secrets.env'), lines.replace(/NAME:HASH:\*/, entry));
    await documented('wrangler deploy --env="" --secrets-file secrets.env');
    const bound = (name) => versions()[0].bindings.find((binding) => binding.name === name);
    assert(bound('MCPFN_API_KEYS').text === entry, JSON.stringify(bound('MCPFN_API_KEYS')));
    assert(bound('MCPFN_STATE_KEY').type === 'secret_text', JSON.stringify(bound('MCPFN_STATE_KEY')));
    for (const name of ['DB', 'CACHE', 'RATE_60_PER_60', 'CF_VERSION_METADATA']) assert(bound(name), `${name} is not bound`);
    assert(versions()[0].observability.traces.enabled, 'no traces');
    await documented('wrangler d1 migrations apply DB --env="" --remote');
    assert(tables().includes('products') && tables().includes('passages'), tables().join());
    assert(count('products') === 0, 'a production database has no shop');
    assert(await readFile(join(folder, 'wrangler.toml'), 'utf8') === built, 'wrangler.toml has changed');
  });
  await check('newcomer: demo data and documents are a file each', async () => {
    await documented('wrangler d1 execute DB --env="" --remote --file infra/demo.sql');
    assert(count('products') === 700, `${count('products')} products`);
    await documented('wrangler d1 execute DB --env="" --remote --file documents.sql');
  });
  await check('newcomer: an upgrade migrates, deploys, and keeps secrets and resources', async () => {
    const upgrade = document.slice(document.indexOf('### Upgrades'));
    const [migrate, deploy] = ['wrangler d1 migrations apply DB --env="" --remote', 'wrangler deploy --env=""'];
    assert(upgrade.indexOf(migrate) < upgrade.indexOf(`${deploy}\n`), 'first the tables, then the program');
    const said = await documented(migrate);
    assert(said.includes('No migrations to apply'), said);
    const before = versions()[0].bindings;
    await documented(deploy);
    const kept = (binding) => versions()[1].bindings.some((other) => JSON.stringify(other) === JSON.stringify(binding));
    assert(before.every(kept), JSON.stringify(versions()[1].bindings));
    assert(account.namespaces.size === 1 && account.databases.size === 1, 'nothing is created twice');
  });
  await check('newcomer: a version is uploaded, rolled out by parts, and taken back', async () => {
    const said = await documented('wrangler versions upload --env=""');
    const [, old, fresh] = versions().map((version) => version.id);
    assert(said.includes(fresh), `the id is not printed: ${said}`);
    for (const command of ['wrangler versions deploy NEW@10% OLD@90% --env=""', 'wrangler versions deploy NEW@100% --env=""']) {
      assert(commands.includes(command), command);
      const { code, said } = await wrangler(command.replace('NEW', fresh).replace('OLD', old));
      assert(code === 0, said);
    }
    assert(current()[0].version_id === fresh, JSON.stringify(current()));
    await documented('wrangler deployments list --env=""');
    const back = 'wrangler rollback OLD --env="" --message "too many errors"';
    assert(commands.includes(back), back);
    const rolled = await wrangler(back.replace('OLD', old).replace('"too many errors"', 'errors'));
    assert(rolled.code === 0 && current()[0].version_id === old, `${rolled.said} ${JSON.stringify(current())}`);
    await documented('wrangler d1 time-travel restore DB --env="" --timestamp 2026-11-28T12:00:00Z');
  });
  await check('newcomer: staging has names and secrets of its own', async () => {
    const { code, said } = await wrangler('wrangler deploy --env staging --secrets-file secrets.env');
    assert(code === 0 && account.databases.has('mcpfn-staging') && account.workers.has('mcpfn-staging'), said);
  });
  await check('newcomer: every other command of the document is one of wrangler, with options that it has', async () => {
    const others = new Set(commands.filter((command) => command.startsWith('wrangler ')));
    for (const command of others) {
      const words = command.split(' ').slice(1);
      const options = words.filter((word) => word.startsWith('--')).map((word) => word.replace(/=.*/, ''));
      const name = words.slice(0, words.findIndex((word) => word.startsWith('-'))).filter((word) => /^[a-z0-9-]+$/.test(word));
      const { code, said } = await wrangler(['wrangler', ...name, '--help'].join(' '));
      assert(code === 0 && said.includes('wrangler '), `${command}: ${said}`);
      for (const option of options) assert(said.includes(option), `${command}: no ${option} in ${said}`);
    }
    assert(others.size >= 12, `${others.size} commands`);
  });
} finally {
  await account.stop();
}
