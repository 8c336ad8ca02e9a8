// Every system of the ready server, used by a real client: once so that it works, once so that it fails. The server is the program
// as operators run it; the services behind it are played by services.mjs. Prints a transcript, and how long calls take.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { assert, check, textOf } from './checks.mjs';
import { SECRETS, start } from './services.mjs';

const [program] = process.argv.slice(2);
if (!program) {
  console.error('node systems.mjs PROGRAM');
  process.exit(2);
}

/** How often a call that works is repeated, for its 95th percentile; less where a tool has a smaller budget of its own. */
const REPEATS = 40;

const folder = mkdtempSync(join(tmpdir(), 'mcpfn-systems-'));
const documents = join(folder, 'documents');
mkdirSync(documents);
writeFileSync(join(documents, 'annual-leave.md'), '# Annual leave\n\nEvery employee has 28 days of paid annual leave. Five unused days carry over.\n');
writeFileSync(
  join(documents, 'acme-supply.md'),
  '---\ntype: supply\nparty: Acme\ndate: 2026-01-15\n---\n# Supply agreement\n\n## 1. Term\n\nTwo years.\n\n## 2. Termination\n\nEither party may terminate with ninety days of notice.\n',
);

const files = join(folder, 'files');
mkdirSync(join(files, 'docs'), { recursive: true });
writeFileSync(join(files, 'docs', 'plan.md'), '# Plan\n\nShip it.\n');
writeFileSync(join(folder, 'outside.txt'), 'nobody may read this');
symlinkSync(join(folder, 'outside.txt'), join(files, 'link.txt'));
symlinkSync('..', join(files, 'up'));

/** Every way out of the files that is known here. */
const outside = ['../outside.txt', 'docs/../../outside.txt', '/etc/passwd', '//etc/passwd', '%2e%2e/outside.txt', '..%2foutside.txt', '..\\outside.txt',
  'C:\\windows\\win.ini', 'file:///etc/passwd', 'link.txt', 'up/outside.txt', 'docs/./../../outside.txt', 'docs\u0000/../../outside.txt', '~/x',
  '\u2025/outside.txt', '.../outside.txt', 'docs//../../outside.txt', '\\\\server\\share', 'CON', 'docs/plan.md/../../../outside.txt'];

/**
 * What each system is asked: [system, tool, arguments that work, what the answer has in it, arguments that fail, what the refusal
 * has in it, how often it is repeated].
 */
const systems = ({ page }, known) => [
  ['S1 hello', 'hello_world', { name: 'Ada' }, /Ada/, { name: 7 }, /\/name/],
  ['S2 weather', 'get_weather', { city: 'Lisbon' }, /few clouds/, { city: 'Atlantis' }, /Atlantis/],
  ['S3 company', 'lookup_company', { email: 'ada@apollo.example' }, /Apollo/, { email: 'ada@down.example' }, /answered that it failed/, 8],
  ['S4 crm', 'search_customers', { query: known.customer }, new RegExp(known.customer), { query: 'x' }, /\/query/],
  ['S4 crm, write', 'create_activity_log', { account_id: known.account, kind: 'note', note: 'Called about the renewal.' }, /ACC-/,
    { account_id: 'nobody', kind: 'note', note: 'x' }, /nobody/, 0],
  ['S5 catalog', 'search_products', { query: 'headphones', limit: 3 }, /headphones/i, { query: '' }, /\/query/],
  ['S6 database', 'query_table', { table: 'products', limit: 2 }, /sku/i, { table: 'passwords', limit: 2 }, /passwords/],
  ['S7 sql', 'query_database', { sql: 'select count(*) as n from products' }, /2800|2,800/, { sql: 'delete from products' }, /read|write|change/i],
  ['S8 fetch', 'fetch_url', { url: `${page}/page` }, /Something happened/, { url: 'http://169.254.169.254/latest/meta-data/' }, /not on the public internet/, 20],
  ['S9 web search', 'search', { query: 'news' }, /News of today/, { query: 'limit' }, /takes no more requests/, 20],
  ['S9 web scrape', 'scrape', { url: `${page}/page` }, /Something happened/, { url: `${page}/gone` }, /no page/, 20],
  ['S10 github', 'list_pull_requests', { repo: 'octocat/hello' }, /Faster lists/, { repo: 'octocat/gone' }, /no repository/],
  ['S10 github, write', 'create_issue', { repo: 'octocat/hello', title: 'Slow lists' }, /issues\/7/, { repo: 'octocat/gone', title: 'x' }, /no repository/, 0],
  ['S11 knowledge', 'semantic_search', { query: 'how many days of annual leave' }, /28 days/, { query: '' }, /\/query/],
  ['S12 contracts', 'extract_clause', { document_id: 'acme-supply', clause: 'termination' }, /ninety days/, { document_id: 'no-such', clause: 'term' }, /no-such/],
  ['S13 files', 'read_file', { path: 'docs/plan.md' }, /Ship it/, { path: '../outside.txt' }, /no path here|outside/],
  ['S13 files, list', 'list_directory', { path: 'docs' }, /plan\.md/, { path: 'nowhere' }, /There is no/],
  ['S13 files, write', 'write_file', { path: 'new/note.txt', content: 'written' }, /note\.txt/, { path: 'docs/plan.md', content: 'x' }, /is there already/, 0],
  ['S14 inventory', 'suggest_reorders', {}, /quantity/, { limit: 0 }, /\/limit/],
  ['S14 inventory, write', 'draft_purchase_order', { sku: known.sku, quantity: 5 }, new RegExp(known.sku), { sku: 'NO-SUCH', quantity: 5 }, /NO-SUCH/, 0],
];

/** Everything that the server said, to its log and to its client. */
let said = '';
/** That without what it printed at its start for the person at the machine. */
let heard = '';

function hear(text) {
  said += text;
  heard += text;
}

async function serve(urls) {
  const variables = {
    MCPFN_TOOLKITS: 'hello,weather,company,crm,catalog,database,sql,fetch,web,github,knowledge,contracts,inventory,files',
    MCPFN_FILES_ROOT: files,
    MCPFN_FILES_WRITABLE: '1',
    MCPFN_DATA_DIR: folder,
    MCPFN_WEATHER_URL: urls.weather,
    MCPFN_COMPANY_URL: urls.company,
    MCPFN_SEARCH_URL: urls.search,
    MCPFN_GITHUB_URL: urls.github,
    MCPFN_FETCH_HOSTS: new URL(urls.page).host,
    MCPFN_LOG: 'debug',
    ...SECRETS,
  };
  const env = { ...process.env, ...variables };
  const ingested = spawnSync(program, ['ingest', documents], { env, encoding: 'utf8' });
  hear(ingested.stdout + ingested.stderr);
  assert(ingested.status === 0, `ingest ended with ${ingested.status}: ${ingested.stderr}`);
  const server = spawn(program, ['--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const url = await new Promise((found, failed) => {
    const listen = (text) => {
      said += text;
      const match = /listening on (http:\S+)/.exec(said);
      if (match) found(match[1]);
    };
    server.stdout.setEncoding('utf8').on('data', listen);
    server.stderr.setEncoding('utf8').on('data', (text) => {
      heard += text;
      listen(text);
    });
    server.on('exit', (code) => failed(new Error(`the server ended with ${code}:\n${said}`)));
  });
  return { url, stop: () => server.kill() };
}

const short = (text) => text.replaceAll(/\s+/g, ' ').slice(0, 160);

async function main() {
  const services = await start();
  const server = await serve(services.urls);
  const client = new Client({ name: 'mcpfn-e2e', version: '0.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
  const call = async (name, args) => {
    const result = await client.callTool({ name, arguments: args });
    hear(JSON.stringify(result));
    return result;
  };
  const first = async (name, args, pick) => pick((await call(name, args)).structuredContent);
  const known = {
    account: await first('search_accounts', { query: 'an', limit: 1 }, (found) => found.accounts[0].id),
    customer: await first('query_table', { table: 'customers', limit: 1 }, (found) => found.rows[0].name ?? found.rows[0][1]),
    sku: await first('search_products', { query: 'headphones', limit: 1 }, (found) => found.products[0].sku),
  };
  const times = [];
  for (const [system, tool, works, expected, fails, refusal, repeats = REPEATS] of systems(services.urls, known)) {
    await check(`${system}: works`, async () => {
      const result = await call(tool, works);
      const text = textOf(result) + JSON.stringify(result.structuredContent ?? '');
      console.log(`   ${tool} ${JSON.stringify(works)}\n   -> ${short(textOf(result))}`);
      assert(!result.isError && expected.test(text), `it gave: ${short(text)}`);
      if (repeats === 0) return;
      const durations = [];
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const started = performance.now();
        await client.callTool({ name: tool, arguments: works });
        durations.push(performance.now() - started);
      }
      durations.sort((one, other) => one - other);
      times.push([system, tool, durations[Math.floor(repeats / 2)], durations[Math.floor(repeats * 0.95)]]);
    });
    await check(`${system}: fails with a sentence`, async () => {
      const result = await call(tool, fails);
      console.log(`   ${tool} ${JSON.stringify(fails)}\n   -> ${short(textOf(result))}`);
      assert(result.isError && refusal.test(textOf(result)), `it gave: ${short(textOf(result))}`);
    });
  }
  await check('no path leads out of the files', async () => {
    for (const path of outside) {
      for (const [tool, args] of [['read_file', { path }], ['list_directory', { path }], ['write_file', { path, content: 'x' }],
        ['move_file', { from: path, to: 'stolen.txt' }], ['move_file', { from: 'docs/plan.md', to: path }]]) {
        const result = await call(tool, args);
        const text = textOf(result);
        assert(result.isError && !text.includes('nobody may read') && !text.includes(folder), `${tool} ${JSON.stringify(args)} gave: ${short(text)}`);
      }
    }
    assert(readFileSync(join(folder, 'outside.txt'), 'utf8') === 'nobody may read this', 'the file outside was changed');
    assert(readFileSync(join(files, 'docs', 'plan.md'), 'utf8').includes('Ship it'), 'the file inside was moved');
  });
  await check('files are overwritten by who has read them, moved, and read as resources', async () => {
    const { version } = (await call('read_file', { path: 'docs/plan.md' })).structuredContent;
    assert((await call('write_file', { path: 'docs/plan.md', content: 'x', if_version: 'other' })).isError, 'another version was overwritten');
    assert(!(await call('write_file', { path: 'docs/plan.md', content: 'Shipped.', if_version: version })).isError, 'the version was refused');
    assert((await call('write_file', { path: 'docs/plan.md', content: 'x', if_version: version })).isError, 'a version was good twice');
    assert(!(await call('move_file', { from: 'docs/plan.md', to: 'docs/done.md' })).isError, 'it was not moved');
    assert((await call('move_file', { from: 'new/note.txt', to: 'docs/done.md' })).isError, 'it was moved over another');
    const { contents } = await client.readResource({ uri: 'file:///docs/done.md' });
    assert(contents[0].text === 'Shipped.' && contents[0].mimeType === 'text/markdown', JSON.stringify(contents));
    for (const [size, expected] of [[1_000, 'resource'], [150_000, 'resource'], [300_000, 'resource_link'], [3_000_000, undefined]]) {
      writeFileSync(join(files, 'data.bin'), Buffer.alloc(size, 0xff));
      const result = await call('read_file', { path: 'data.bin' });
      assert(!result.isError && result.content[1]?.type === expected, `${size} bytes gave ${JSON.stringify(result.content).slice(0, 200)}`);
    }
    assert(!heard.includes(files), 'the folder of the files was said');
  });
  await check('a client over its budget is told when to come back', async () => {
    const refused = await Promise.allSettled(Array.from({ length: 11 }, () => client.callTool({ name: 'lookup_company', arguments: { email: 'ada@apollo.example' } })));
    const messages = refused.filter(({ status }) => status === 'rejected').map(({ reason }) => String(reason.message));
    assert(messages.length > 0 && messages.every((message) => /too many calls.*try again in \d+ s/.test(message)), `it was told: ${messages[0]}`);
  });
  await client.close();
  server.stop();
  services.stop();
  await check('no secret is in any answer or log', () => {
    for (const secret of Object.values(SECRETS)) {
      assert(!said.includes(secret), `${secret} was said: ${short(said.slice(said.indexOf(secret) - 80))}`);
    }
    assert(said.includes('debug') || said.includes('DEBUG') || said.includes('INFO'), 'the log was not read');
  });
  console.log('\n| system | tool | p50 ms | p95 ms |\n|---|---|--:|--:|');
  times.forEach(([system, tool, p50, p95]) => console.log(`| ${system} | ${tool} | ${p50.toFixed(1)} | ${p95.toFixed(1)} |`));
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
