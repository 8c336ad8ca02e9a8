// The pages that hosts show with results (MCP Apps), in a small host of one's own, with what real calls of the ready
// server gave:  node apps.mjs FOLDER-OF-PROGRAMS FOLDER-FOR-SCREENSHOTS
// The host does what the specification says of hosts: a frame without the origin of anyone, under the page's policy.

import { createServer } from 'node:http';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { assert, checked, launch } from './browser.mjs';
import { serve, stopAll } from './server.mjs';

const [programs, screenshots] = process.argv.slice(2);
if (screenshots === undefined) {
  console.error('node apps.mjs FOLDER-OF-PROGRAMS FOLDER-FOR-SCREENSHOTS');
  process.exit(2);
}
await mkdir(screenshots, { recursive: true });
const shop = `${await serve(join(programs, 'mcpfn'), { MCPFN_TOOLKITS: 'catalog,database,crm,inventory,sql' })}mcp`;
const browser = await launch();
const MIME = 'text/html;profile=mcp-app';
let id = 0;

/** A request of a client of 2026-07-28. */
async function ask(method, params = {}, name = undefined) {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [MIME] } } } };
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name && { 'mcp-name': name } };
  const response = await fetch(shop, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: id += 1, method, params: { ...params, _meta: meta } }) });
  const answer = await response.json();
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

const call = (tool, args) => ask('tools/call', { name: tool, arguments: args }, tool);

/** The page of a tool, by what the tool and the page say of themselves. */
async function pageOf(tool) {
  const { tools } = await ask('tools/list');
  const { _meta: meta } = tools.find((one) => one.name === tool);
  assert(meta.ui.resourceUri === meta['ui/resourceUri'], JSON.stringify(meta));
  const { contents } = await ask('resources/read', { uri: meta.ui.resourceUri }, meta.ui.resourceUri);
  assert(contents[0].mimeType === MIME, contents[0].mimeType);
  return contents[0].text;
}

// The closed policy of the specification for a page that lists no origin.
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:";
let served = '';
const host = createServer((request, response) => {
  if (request.url === '/page') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY });
    return response.end(served);
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  return response.end('<!doctype html><title>host</title><style>body{margin:0}iframe{border:0;width:100%;height:300px;display:block}</style><iframe sandbox="allow-scripts" src="/page"></iframe>');
});
await new Promise((done) => host.listen(0, '127.0.0.1', done));
const address = `http://127.0.0.1:${host.address().port}/`;

/** Shows a page with a result, and gives its frame. */
async function show(page, html, { args = {}, result, theme = 'light', locale = 'en-US@posix' }) {
  served = html;
  await page.evaluateOnNewDocument((given) => {
    if (window !== window.top) return;
    window.told = [];
    addEventListener('message', ({ source, data }) => {
      const frame = document.querySelector('iframe');
      if (source !== frame.contentWindow) return;
      window.told.push(data);
      const send = (message) => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*');
      if (data.method === 'ui/initialize') {
        send({ id: data.id, result: { protocolVersion: data.params.protocolVersion, hostInfo: { name: 'host', version: '1' }, hostCapabilities: {}, hostContext: { theme: given.theme, locale: given.locale } } });
      } else if (data.method === 'ui/notifications/initialized') {
        send({ method: 'ui/notifications/tool-input', params: { arguments: given.args } });
        send({ method: 'ui/notifications/tool-result', params: given.result });
      } else if (data.method === 'ui/notifications/size-changed') {
        frame.style.height = `${data.params.height}px`;
      }
    });
  }, { args, result, theme, locale });
  await page.goto(address);
  const frame = page.frames().find((one) => one.url() === `${address}page`);
  await frame.waitForFunction(() => document.querySelector('#status').hidden || !document.querySelector('#status').textContent.startsWith('Waiting'), { timeout: 10_000 });
  return frame;
}

const check = (name, options, run) => checked(browser, screenshots, name, { width: 760, height: 900, ...options }, run);

/** Text of cells of a column, from top to bottom. */
const column = (frame, at) => frame.$$eval('tbody tr', (rows, at) => rows.map((row) => row.cells[at].textContent), at);
const text = (frame) => frame.evaluate(() => document.body.innerText);

/** The least contrast of any text with what is behind it (WCAG 2). */
const contrast = (frame) => frame.evaluate(() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => channels(color).slice(0, 3).map((one) => one / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1 && color !== 'rgba(0, 0, 0, 0)') return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let [least, where] = [21, ''];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || ['SCRIPT', 'STYLE', 'title', 'OPTION'].includes(element.tagName) || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [one, other] = [light(element.ownerSVGElement ? style.fill : style.color), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < least) [least, where] = [ratio, node.textContent.trim().slice(0, 40)];
  }
  return { least, where };
});

const { accounts } = (await call('search_accounts', { query: 'Kestrel' })).structuredContent;
const accountId = accounts[0].account_id ?? accounts[0].id;
const SQL = "SELECT substr(placed_at, 1, 7) AS month, count(*) AS orders, sum(total_cents) / 100 AS total FROM orders GROUP BY 1 ORDER BY 1";
const shownTools = [
  ['reorders', 'suggest_reorders', {}],
  ['levels', 'get_stock_levels', { limit: 30 }],
  ['timeline', 'get_account_timeline', { account_id: accountId }],
  ['rows', 'query_table', { table: 'products', limit: 30 }],
];

for (const [name, tool, args] of shownTools) {
  const html = await pageOf(tool);
  const result = await call(tool, args);
  assert(!result.isError, JSON.stringify(result.content));
  const data = result.structuredContent;
  await check(`${name}: every row of a real call is shown`, {}, async (page) => {
    const frame = await show(page, html, { args, result });
    if (name === 'timeline') {
      const events = await frame.$$eval('#events li', (found) => found.map((one) => one.textContent));
      assert(events.length === data.events.length, `${events.length} of ${data.events.length} events`);
      data.events.forEach((event, at) => assert(events[at].includes(event.text) && events[at].includes(event.kind), events[at]));
    } else {
      const rows = data.suggestions ?? data.levels ?? data.rows;
      const cells = await frame.$$eval('tbody tr', (found) => found.map((row) => [...row.cells].map((cell) => cell.textContent)));
      assert(cells.length === rows.length, `${cells.length} of ${rows.length} rows`);
      rows.forEach((row, at) => assert(cells[at].includes(String(row.sku ?? Object.values(row)[0])), cells[at].join(' | ')));
      assert((await frame.$$('svg rect, svg circle')).length > 0, 'there is no chart');
    }
    const told = await page.evaluate(() => window.told.map((message) => message.method));
    assert(told[0] === 'ui/initialize' && told.includes('ui/notifications/size-changed'), told.join(' '));
    const wide = await frame.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert(!wide, 'the page is wider than its frame');
    await page.screenshot({ path: join(screenshots, `apps-${name}-light.png`), fullPage: true });
  });
  for (const theme of ['light', 'dark']) {
    await check(`${name}: text can be read in ${theme}`, { dark: theme === 'light' }, async (page) => {
      // the host's theme counts, not that of the system
      const frame = await show(page, html, { args, result, theme });
      const { least, where } = await contrast(frame);
      assert(least >= 4.5, `${least.toFixed(2)} for "${where}"`);
      if (theme === 'dark') await page.screenshot({ path: join(screenshots, `apps-${name}-dark.png`), fullPage: true });
    });
  }
  await check(`${name}: on a phone`, { width: 390, height: 844 }, async (page) => {
    const frame = await show(page, html, { args, result });
    const wide = await frame.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert(!wide, 'the page is wider than its frame');
    await page.screenshot({ path: join(screenshots, `apps-${name}-phone.png`), fullPage: true });
  });
}

const rowsPage = await pageOf('query_database');
await check('rows: sums of SQL as a line', {}, async (page) => {
  const result = await call('query_database', { sql: SQL });
  assert(!result.isError, JSON.stringify(result.content));
  const frame = await show(page, rowsPage, { result });
  assert((await frame.$$('svg path.series')).length === 1, 'there is no line');
  assert((await frame.$$('svg circle')).length === result.structuredContent.rows.length, 'a point is missing');
  await page.screenshot({ path: join(screenshots, 'apps-sql-light.png'), fullPage: true });
});

await check('rows: sorted by a heading, with the keyboard alone', {}, async (page) => {
  const result = { content: [], structuredContent: { columns: ['name', 'n'], rows: [['b', 10], ['a', 9], ['c', null], ['d', 100]], truncated: false } };
  const frame = await show(page, rowsPage, { result });
  await frame.focus('thead th:nth-child(2) button');
  await page.keyboard.press('Enter');
  assert((await column(frame, 0)).join('') === 'dbac', (await column(frame, 0)).join(''));
  await page.keyboard.press('Space');
  assert((await column(frame, 0)).join('') === 'abdc', (await column(frame, 0)).join(''));
  const sort = await frame.$eval('thead th:nth-child(2)', (head) => head.getAttribute('aria-sort'));
  assert(sort === 'ascending', sort);
});

const POISON = '<img src=x onerror="parent.postMessage({poisoned:1},\'*\')"><script>document.title="poisoned"</script>\u202e';
const poisoned = [
  ['rows', rowsPage, { columns: [POISON, '__proto__', 'constructor'], rows: [[POISON, 1, POISON], [POISON, 2, { a: POISON }]], truncated: true, note: POISON }],
  ['rows by name', rowsPage, { rows: [{ [POISON]: POISON, n: 1 }, { n: 2, constructor: POISON }], truncated: false }],
  ['reorders', await pageOf('suggest_reorders'), { suggestions: [{ sku: POISON, product: POISON, warehouse: POISON, quantity: 1, on_order: 0, per_day: 1, days_left: null, supplier: POISON, lead_time_days: 3, suggested: 4 }], total: 1, note: POISON }],
  ['timeline', await pageOf('get_account_timeline'), { account_id: POISON, name: POISON, status: POISON, owner: POISON, contacts: [{ name: POISON, email: POISON, role: POISON }], events: [{ at: POISON, kind: POISON, text: POISON, amount: 5 }], note: POISON }],
];
for (const [name, html, structuredContent] of poisoned) {
  await check(`${name}: poisoned rows are text`, {}, async (page) => {
    const frame = await show(page, html, { result: { content: [], structuredContent } });
    assert((await text(frame)).includes('<img src=x'), 'the text is not shown');
    assert((await frame.$$('img')).length === 0, 'data became an element');
    assert((await frame.$$('script')).length === 2, 'data became a script');
    const told = await page.evaluate(() => window.told.some((message) => message.poisoned));
    assert(!told && (await frame.title()) !== 'poisoned', 'data ran as a script');
  });
}
await check('a failure is a sentence', {}, async (page) => {
  const frame = await show(page, rowsPage, { result: { isError: true, content: [{ type: 'text', text: POISON }] } });
  assert((await text(frame)).includes('<img src=x') && (await frame.$$('img')).length === 0, await text(frame));
  await page.evaluate(() => document.querySelector('iframe').contentWindow.postMessage({ jsonrpc: '2.0', id: 7, method: 'ui/resource-teardown', params: {} }, '*'));
  await page.waitForFunction(() => window.told.some((message) => message.id === 7 && message.result));
});

host.close();
stopAll();
await browser.close();
process.exit();
