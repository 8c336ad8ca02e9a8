// The bundle that `wrangler deploy --dry-run` left, under `wrangler dev` with the local D1 database that the migrations filled,
// asked by the TypeScript SDK. Arguments: the bundle's folder, the folder of wrangler's state.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { assert, check } from '../e2e/checks.mjs';
import { wrangler } from './wrangler.mjs';

const [bundle, state] = process.argv.slice(2);
const root = resolve('../..');

/** wrangler.toml without its build: what was built is there already. */
async function configuration(change = (text) => text) {
  const text = await readFile(join(root, 'wrangler.toml'), 'utf8');
  const built = text.replace(/^\[build\]\n(.+\n)*/m, '').replace(/^main = .*$/m, 'main = "index.js"\nno_bundle = true');
  const file = join(bundle, `wrangler.${change.name || 'dev'}.toml`);
  await writeFile(file, change(built));
  return file;
}

/** What a newcomer types to try the Worker without a key, and from a page, as infra/workers.md says it. */
const document = await readFile(join(root, 'infra/workers.md'), 'utf8');
const [OPEN, PAGE] = [...document.matchAll(/^wrangler dev --env="" (--var .+?)(  +#.*)?$/gm)].map(([, options]) => options.split(' '));
const ORIGIN = PAGE.at(-1).replace('MCPFN_ALLOWED_ORIGINS:', '');

/** What a client that sends no key gets. */
async function ping(url, more = {}) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...more }, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
  return { status: response.status, text: await response.text() };
}

/** A line of the log may come after the answer. */
async function logged(log, text) {
  for (const started = Date.now(); !log().includes(text); await new Promise((next) => setTimeout(next, 20))) {
    assert(Date.now() - started < 10_000, `${text} is not in the log: ${log()}`);
  }
}

await wrangler(await configuration(), state, async (url, log) => {
  const client = new Client({ name: 'mcpfn-worker', version: '0.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(url));
  const call = async (name, args) => {
    const result = await client.callTool({ name, arguments: args });
    assert(!result.isError, `${name} failed: ${JSON.stringify(result.content)} ${log()}`);
    return result.structuredContent;
  };
  await check('deployed: lists the tools of every toolkit', async () => {
    const { tools } = await client.listTools();
    const names = tools.map((tool) => tool.name);
    for (const name of ['hello_world', 'search_products', 'query_table', 'search_customers', 'get_stock_levels']) assert(names.includes(name), `no ${name} in ${names}`);
  });
  let found;
  await check('deployed: full-text search on D1', async () => {
    found = await call('search_products', { query: 'headphones' });
    console.log(`  ${JSON.stringify(found).slice(0, 300)}`);
    assert(JSON.stringify(found).toLowerCase().includes('headphone'), JSON.stringify(found));
  });
  await check('deployed: the tables of D1 and their rows', async () => {
    const tables = await call('list_tables', {});
    assert(JSON.stringify(tables).includes('products'), JSON.stringify(tables));
    const rows = await call('query_table', { table: 'products', limit: 3 });
    console.log(`  ${JSON.stringify(rows).slice(0, 300)}`);
    assert(JSON.stringify(rows).includes('price_cents'), JSON.stringify(rows));
  });
  await check('deployed: documents that `ingest --sql` wrote', async () => {
    const found = await call('semantic_search', { query: 'how long is information confidential?' });
    assert(found.passages[0]?.document_id === 'acme-nda', JSON.stringify(found));
    const listed = await call('search_documents', {});
    // those of tests/worker/documents, and of tests/fixtures/knowledge/languages.txt
    assert(listed.total === 4 + 98, `after two runs there are ${listed.total} documents`);
    const [document] = (await client.readResource({ uri: 'knowledge://document/odd-text' })).contents;
    assert(document.text === await readFile(join(root, 'tests/worker/documents/odd-text.txt'), 'utf8'), document.text);
  });
  await check('deployed: one JSON line in the log for each call', async () => {
    await logged(log, '"query_table"');
    const lines = log().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert(lines.some((line) => line.level === 'INFO' && line.name === 'query_table' && line.outcome === 'ok'), log());
    for (const line of lines) {
      for (const member of ['service', 'functionVersion', 'requestId', 'traceId']) assert(typeof line[member] === 'string', `no ${member}: ${JSON.stringify(line)}`);
      assert(typeof line.coldStart === 'boolean' && typeof line.event === 'string', JSON.stringify(line));
    }
    // wrangler writes warnings behind a mark of its own
    assert(/"level":"WARN".+"event":"open_server"/.test(log()), log());
    const calls = lines.filter((line) => line.event === 'call');
    assert(calls.every((line) => line.service === 'mcpfn' && line.functionVersion !== ''), JSON.stringify(calls[0]));
    assert(calls.filter((line) => line.coldStart).length <= 1 && calls.some((line) => !line.coldStart), log());
  });
  await check('deployed: a line of the log has the ids that came with the request', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    await ping(url, { 'cf-ray': '9a1b2c3d4e5f6071-FRA', traceparent: `00-${trace}-00f067aa0ba902b7-01` });
    await logged(log, `"traceId":"${trace}"`);
    const line = log().split('\n').find((line) => line.includes(trace));
    console.log(`  ${line}`);
  });
  await check('deployed: a page may not call unless its origin is listed', async () => {
    assert((await ping(url, { origin: ORIGIN })).status === 403, 'the origin is not listed');
  });
  await client.close();
}, [...OPEN, '--var', 'MCPFN_TOOLKITS:hello,catalog,database,crm,inventory,knowledge,contracts']);

await wrangler(await configuration(), state, async (url, log) => {
  await check('deployed: without a list of keys nobody is served, and the answer says what to set', async () => {
    const { status, text } = await ping(url);
    assert(status === 503 && text.includes('MCPFN_API_KEYS is not set') && text.includes('wrangler secret put'), `${status} ${text}`);
    await logged(log, 'MCPFN_API_KEYS');
  });
});

await wrangler(await configuration(), state, async (url) => {
  await check('deployed: the page whose origin is listed may call, and no other', async () => {
    const { status, text } = await ping(url, { origin: ORIGIN });
    assert(status === 200, `${status} ${text}`);
    assert((await ping(url, { origin: 'http://localhost:5174' })).status === 403, 'another origin');
  });
}, PAGE);

await wrangler(await configuration(), state, async (url) => {
  await check('deployed: a setting that a Worker has no use for is named', async () => {
    const { status, text } = await ping(url);
    assert(status === 503 && /MCPFN_DATABASE is used on .+ only: remove it here/.test(text), `${status} ${text}`);
  });
}, [...OPEN, '--var', 'MCPFN_DATABASE:/shop.db']);

// the SHA-256 of `alice-key`, and that of `bob-key`
const KEYS = 'alice:72ee9d4355ccb9d3a4c9dbf37382e38e75c1b1a225b5bd1f729ee91bbda30c20:*;bob:9b94dc1a51a38769f135edf04033ad7f2f487b6c25929be7a861cfc1ab10cf98:other';
await wrangler(await configuration(), state, async (url) => {
  await check('deployed: a caller without a key is refused', async () => {
    const { status, text } = await ping(url);
    assert(status === 401, `${status} ${text}`);
  });
  await check('deployed: a caller has the rate limit that README promises', async () => {
    const list = { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer bob-key' }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' };
    const answers = [];
    // one after the other: the count of Cloudflare is late, that of this machine is not
    for (let number = 0; number < 130; number += 1) answers.push((await fetch(url, list)).status);
    const served = answers.filter((status) => status === 200).length;
    // a minute may have ended meanwhile
    assert(served >= 60 && served <= 120 && answers.includes(429), `${served} of ${answers.length} were served`);
    assert((await readFile(join(root, 'README.md'), 'utf8')).includes('a rate limit of 60 calls per minute and caller'), 'README');
  });
  await check('deployed: a caller with a key lists every tool', async () => {
    const client = new Client({ name: 'mcpfn-worker', version: '0.0.0' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: 'Bearer alice-key' } } }));
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    assert(names.includes('search_products'), `no search_products in ${names}`);
    await client.close();
  });
}, ['--var', `MCPFN_API_KEYS:${KEYS}`]);

await writeFile(join(bundle, '.dev.vars'), `MCPFN_API_KEYS='${KEYS}'\nMCPFN_STATE_KEY='BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc='\n`);
await wrangler(await configuration(), state, async (url, log) => {
  await check('deployed: .dev.vars has the secrets on this machine', async () => {
    const { status, text } = await ping(url, { authorization: 'Bearer alice-key' });
    assert(status === 200, `${status} ${text}`);
    assert(!log().includes('MCPFN_STATE_KEY is not set') && !log().includes('Missing required secrets'), log());
  });
});
await rm(join(bundle, '.dev.vars'));

await wrangler(await configuration(), state, async (url, log) => {
  await check('deployed: a wrong secret is named at the first request and in the log', async () => {
    const { status, text } = await ping(url);
    assert(status === 503 && text.includes('MCPFN_STATE_KEY') && !text.includes('hunter2'), `${status} ${text}`);
    await logged(log, 'MCPFN_STATE_KEY');
  });
}, [...OPEN, '--var', 'MCPFN_STATE_KEY:hunter2']);
const withoutDatabase = (text) => text.replaceAll(/^\[\[d1_databases\]\]\n(.+\n)*/gm, '');
await wrangler(await configuration(withoutDatabase), state, async (url) => {
  await check('deployed: a missing binding is named at the first request', async () => {
    const { status, text } = await ping(url);
    assert(status === 503 && text.includes('d1_databases') && text.includes('DB'), `${status} ${text}`);
  });
}, OPEN);
