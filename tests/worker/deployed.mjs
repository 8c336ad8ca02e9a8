// The bundle that `wrangler deploy --dry-run` left, under `wrangler dev` with the local D1 database that the migrations filled,
// asked by the TypeScript SDK. Arguments: the bundle's folder, the folder of wrangler's state.

import { readFile, writeFile } from 'node:fs/promises';
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

/** What a newcomer types to try the Worker without a key, as infra/workers.md says it. */
const OPEN = ['--var', 'MCPFN_AUTH:none'];

/** What a client that sends no key gets. */
async function ping(url) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
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
    assert(listed.total === 4, `after two runs there are ${listed.total} documents`);
    const [document] = (await client.readResource({ uri: 'knowledge://document/odd-text' })).contents;
    assert(document.text === await readFile(join(root, 'tests/worker/documents/odd-text.txt'), 'utf8'), document.text);
  });
  await check('deployed: one JSON line in the log for each call', async () => {
    await logged(log, '"query_table"');
    const lines = log().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert(lines.some((line) => line.level === 'INFO' && line.name === 'query_table' && line.outcome === 'ok'), log());
    assert(log().includes('"level":"WARN","message":"MCPFN_AUTH is none'), log());
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

// the SHA-256 of `alice-key`
const KEYS = 'alice:72ee9d4355ccb9d3a4c9dbf37382e38e75c1b1a225b5bd1f729ee91bbda30c20:*';
await wrangler(await configuration(), state, async (url) => {
  await check('deployed: a caller without a key is refused', async () => {
    const { status, text } = await ping(url);
    assert(status === 401, `${status} ${text}`);
  });
  await check('deployed: a caller with a key lists every tool', async () => {
    const client = new Client({ name: 'mcpfn-worker', version: '0.0.0' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: 'Bearer alice-key' } } }));
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    assert(names.includes('search_products'), `no search_products in ${names}`);
    await client.close();
  });
}, ['--var', `MCPFN_API_KEYS:${KEYS}`]);

const withSecret = (text) => text.replace(/^\[vars\]$/m, '[vars]\nMCPFN_STATE_KEY = "hunter2"');
await wrangler(await configuration(withSecret), state, async (url, log) => {
  await check('deployed: a wrong secret is named at the first request and in the log', async () => {
    const { status, text } = await ping(url);
    assert(status === 503 && text.includes('MCPFN_STATE_KEY') && !text.includes('hunter2'), `${status} ${text}`);
    await logged(log, 'MCPFN_STATE_KEY');
  });
}, OPEN);
const withoutDatabase = (text) => text.replaceAll(/^\[\[d1_databases\]\]\n(.+\n)*/gm, '');
await wrangler(await configuration(withoutDatabase), state, async (url) => {
  await check('deployed: a missing binding is named at the first request', async () => {
    const { status, text } = await ping(url);
    assert(status === 503 && text.includes('d1_databases') && text.includes('DB'), `${status} ${text}`);
  });
}, OPEN);
