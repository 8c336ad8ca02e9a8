// What people do on the page, in headless Chromium, against real servers:
//   node page.mjs FOLDER-OF-PROGRAMS FOLDER-FOR-SCREENSHOTS
// Programs: `shown` (every form, hostile texts), `everything` (progress, questions) and `mcpfn` (the demo shop).

import { createServer } from 'node:http';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { assert, checked, focused, launch, tabTo, textOf } from './browser.mjs';
import { issuer } from './issuer.mjs';
import { serve, stopAll } from './server.mjs';

const [programs, screenshots] = process.argv.slice(2);
if (screenshots === undefined) {
  console.error('node page.mjs FOLDER-OF-PROGRAMS FOLDER-FOR-SCREENSHOTS');
  process.exit(2);
}
await mkdir(screenshots, { recursive: true });
const program = (name) => join(programs, name);
const browser = await launch();

const check = (...one) => checked(browser, screenshots, ...one);

/** JSON with the digits of large integers. */
const exact = (text) => JSON.parse(text.replaceAll(/\d{16,}/g, (digits) => JSON.stringify(digits)));

const picture = (page, name) => page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });

/** Calls what is shown, and gives the text of the result. */
async function call(page, verb = 'Call') {
  await press(page, verb);
  return textOf(page, 'main form ~ div pre, main form ~ div .bad-box');
}

async function press(page, label) {
  await page.evaluate((label) => {
    const found = [...document.querySelectorAll('main button')].find((button) => button.textContent === label);
    if (!found) throw new Error(`no button "${label}"`);
    found.click();
  }, label);
}

/** One step of fields.json. */
async function step(page, { write, choose, in: name, press: button }) {
  if (button) return press(page, button);
  const control = await page.evaluateHandle((name) => {
    const controls = [...document.querySelectorAll('main input, main select, main textarea')];
    const nameOf = (one) => one.labels?.[0]?.querySelector('code')?.textContent ?? one.getAttribute('aria-label');
    return controls.find((one) => nameOf(one) === name && one.value === '') ?? controls.find((one) => nameOf(one) === name);
  }, name);
  const element = control.asElement();
  assert(element, `no field "${name}"`);
  if (write !== undefined) {
    await element.evaluate((node) => { node.value = ''; });
    return element.type(write);
  }
  const value = await element.evaluate((node, label) => [...node.options].find((one) => one.textContent === label)?.value, choose);
  assert(value !== undefined, `${name} has no choice "${choose}"`);
  return element.select(value);
}

const shown = await serve(program('shown'));
const everything = await serve(program('everything'));

await check('keyboard alone: a tool is found, filled in and called', {}, async (page) => {
  await page.goto(everything);
  await textOf(page, '#list a', 'add');
  await tabTo(page, 'input Filter');
  await page.keyboard.type('adds two');
  await tabTo(page, 'a add');
  await page.keyboard.press('Enter');
  await textOf(page, 'main h2', 'Add');
  assert((await focused(page)) === 'h2 Add', `the focus is at ${await focused(page)}`);
  await tabTo(page, 'input a required');
  await page.keyboard.type('2');
  await tabTo(page, 'input b required');
  await page.keyboard.type('3');
  await page.keyboard.press('Enter');
  assert((await textOf(page, 'main form ~ div pre')).includes('"sum": 5'), 'the sum is missing');
  // and out again: nothing holds the focus
  await tabTo(page, 'summary Input schema');
  await tabTo(page, 'a About');
});

await check('the title, the version and the instructions are shown', {}, async (page) => {
  await page.goto(everything);
  await textOf(page, 'h1', 'Everything');
  await textOf(page, 'main', 'Call what you like: nothing here does anything.');
  await textOf(page, 'main dd', `${everything}mcp`);
});

await check('a refusal shows its sentence', {}, async (page) => {
  await page.goto(`${everything}#tool=add`);
  await textOf(page, 'h2', 'Add');
  const told = await call(page);
  assert(told.includes('/a') && told.includes('/b'), told);
  await page.goto(`${everything}#tool=test_error_handling`);
  await textOf(page, 'h2', 'test_error_handling');
  assert((await call(page)).includes('intentionally returns an error'), 'the sentence is missing');
});

await check('progress is shown, and a call can be cancelled', {}, async (page) => {
  await page.goto(`${everything}#tool=test_tool_with_progress`);
  await textOf(page, 'h2', 'test_tool_with_progress');
  await page.evaluate(() => {
    window.progressSeen = [];
    new MutationObserver(() => {
      const bar = document.querySelector('main progress');
      if (bar) window.progressSeen.push(bar.value);
    }).observe(document.querySelector('main'), { subtree: true, childList: true });
  });
  assert((await call(page)).includes('done'), 'the result is missing');
  const values = await page.evaluate(() => window.progressSeen);
  assert(values.includes(50), `progress was ${values}`);
  await press(page, 'Call');
  await textOf(page, 'main button', 'Cancel');
  await press(page, 'Cancel');
  await textOf(page, 'main form ~ div', 'Cancelled.');
});

await check('a question of a tool is answered', {}, async (page) => {
  await page.goto(`${everything}#tool=test_input_required_result_multi_round`);
  await textOf(page, 'h2', 'multi_round');
  await press(page, 'Call');
  await textOf(page, 'main form form, main form ~ div form', 'name');
  await page.waitForFunction(() => document.activeElement.matches('form[role=group] textarea'));
  await page.keyboard.type('Ada');
  await press(page, 'Answer');
  await textOf(page, 'form[role=group]', 'color');
  await page.waitForFunction(() => document.activeElement.matches('form[role=group] textarea'));
  await page.keyboard.type('green');
  await press(page, 'Answer');
  await textOf(page, 'main form ~ div pre', 'Ada likes green');
});

await check('resources, templates and prompts are read', {}, async (page) => {
  await page.goto(`${everything}#resource=${encodeURIComponent('test://static-text')}`);
  await textOf(page, 'main h2');
  assert((await call(page, 'Read')).length > 0, 'the resource is empty');
  await page.goto(`${everything}#template=${encodeURIComponent('test://template/{id}/data')}`);
  await textOf(page, 'main code', 'test://template/{id}/data');
  await page.evaluate(() => { document.querySelector('main textarea').value = 'test://template/123/data'; });
  assert((await call(page, 'Read')).includes('123'), 'the template was not filled in');
  await page.goto(`${everything}#prompt=test_prompt_with_arguments`);
  await textOf(page, 'main h2', 'test_prompt_with_arguments');
  await step(page, { write: 'first value', in: 'arg1' });
  await step(page, { write: 'second value', in: 'arg2' });
  const got = await call(page, 'Get');
  assert(got.includes('first value') && got.includes('second value'), got);
});

await check('pictures and sounds of a result are shown', {}, async (page) => {
  await page.goto(`${everything}#tool=test_image_content`);
  await textOf(page, 'h2', 'test_image_content');
  await press(page, 'Call');
  await page.waitForFunction(() => document.querySelector('main img')?.naturalWidth > 0, { timeout: 5000 });
  await page.goto(`${everything}#tool=test_audio_content`);
  await textOf(page, 'h2', 'test_audio_content');
  await press(page, 'Call');
  await page.waitForSelector('main audio', { timeout: 5000 });
});

for (const { name, steps, arguments: expected } of JSON.parse(await readFile(new URL('fields.json', import.meta.url)))) {
  await check(`form: ${name}`, {}, async (page) => {
    await page.goto(`${shown}#tool=${name}`);
    await textOf(page, 'h2', name);
    for (const one of steps) await step(page, one);
    const got = await call(page);
    assert(isDeepStrictEqual(exact(got), exact(expected)), `sent ${got}, not ${expected}`);
  });
}

await check('hostile texts stay texts', {}, async (page) => {
  await page.goto(shown);
  await textOf(page, 'h1', '<script>');
  await textOf(page, 'main', '<img src=x');
  for (const [place, verb] of [['tool=hostile', 'Call'], ['tool=failing', 'Call'], ['prompt=ask', 'Get'], [`resource=${encodeURIComponent('shown://text')}`, 'Read']]) {
    await page.goto(`${shown}#${place}`);
    await textOf(page, 'main button', verb);
    assert((await call(page, verb)).includes('onerror='), `${place} does not show the text`);
  }
  const found = await page.evaluate(() => ({
    title: document.title, scripts: document.scripts.length, images: document.querySelectorAll('img, svg').length,
    links: [...document.links].map((link) => link.protocol).filter((protocol) => !protocol.startsWith('http')),
    handlers: [...document.querySelectorAll('*')].filter((node) => [...node.attributes].some(({ name }) => name.startsWith('on'))).length,
  }));
  assert(!found.title.startsWith('harmed'), 'a script ran');
  assert(found.scripts === 2 && found.images === 0 && found.handlers === 0 && found.links.length === 0, JSON.stringify(found));
});

await check('a schema of millions of fields gets a bounded form at once', {}, async (page) => {
  await page.goto(`${shown}#tool=bomb`);
  await textOf(page, 'h2', 'bomb');
  const controls = await page.evaluate(() => document.querySelectorAll('main textarea, main input').length);
  assert(controls > 0 && controls < 3000, `${controls} fields`);
});

await check('a foreign page can neither frame it nor call', {}, async (page, seen) => {
  const foreign = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><title>Foreign</title><iframe src="${everything}"></iframe>`);
  });
  await new Promise((done) => foreign.listen(0, '127.0.0.2', done));
  const origin = `http://127.0.0.2:${foreign.address().port}`;
  await page.goto(origin);
  await new Promise((done) => setTimeout(done, 300));
  const inside = page.frames().filter((frame) => frame !== page.mainFrame());
  const texts = await Promise.all(inside.map((frame) => frame.evaluate(() => document.body?.innerText ?? '').catch(() => '')));
  assert(!texts.some((text) => text.includes('About')), 'it was framed');
  const status = await page.evaluate((url) => fetch(url, { method: 'POST', body: '{}' }).then((one) => one.status, () => 'refused'), everything);
  assert(status === 'refused', `a call gave ${status}`);
  foreign.close();
  // the browser itself tells of both
  seen.errors.length = 0;
  seen.requests.length = 0;
  return origin;
});

await check('a key is asked for, refused when wrong, and taken', {}, async (page) => {
  const key = 'a'.repeat(43);
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256').update(key).digest('hex');
  const locked = await serve(program('everything'), { MCPFN_AUTH: 'api-key', MCPFN_API_KEYS: `ada:${hash}:*` });
  await page.goto(`${locked}#tool=add`);
  await textOf(page, 'main h2', 'Credentials');
  assert((await page.evaluate(() => document.querySelectorAll('#list a').length)) === 0, 'tools are listed without a key');
  await tabTo(page, 'input API key or access token');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await textOf(page, '.bad-box', 'not accepted');
  await picture(page, 'credentials');
  await tabTo(page, 'input API key or access token');
  await page.keyboard.type(key);
  await page.keyboard.press('Enter');
  await textOf(page, 'h2', 'Add');
  await step(page, { write: '2', in: 'a' });
  await step(page, { write: '5', in: 'b' });
  assert((await call(page)).includes('7'), 'the call failed');
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert(!kept.includes(key), `the key is kept: ${kept}`);
});

await check('people sign in with OAuth and PKCE', {}, async (page, seen) => {
  const auth = await issuer();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const guarded = await serve(program('everything'), { MCPFN_AUTH: 'oauth', MCPFN_ISSUER: auth.url, MCPFN_PUBLIC_URL: url, MCPFN_DEFAULT_SCOPES: '*' }, `${port}`);
  await page.goto(`${guarded}#tool=test_simple_text`);
  const signIn = `Sign in at ${new URL(auth.url).host}`;
  await textOf(page, 'main button', signIn);
  await press(page, signIn);
  await textOf(page, 'a', 'Deny');
  await Promise.all([page.waitForNavigation(), page.evaluate(() => document.links[1].click())]);
  await textOf(page, '.bad-box', 'Ada said <b>no</b>');
  await textOf(page, 'main button', signIn);
  await press(page, signIn);
  await textOf(page, 'a', 'Allow');
  await Promise.all([page.waitForNavigation(), page.evaluate(() => document.links[0].click())]);
  await textOf(page, 'h2', 'test_simple_text');
  assert((await call(page)).includes('simple text'), 'the call failed');
  const [asked] = auth.seen.authorize.slice(-1);
  assert(asked.code_challenge_method === 'S256' && asked.resource === url && asked.state.length >= 43, JSON.stringify(asked));
  assert(auth.seen.token.length === 1 && auth.seen.token[0].resource === url, JSON.stringify(auth.seen.token));
  const left = await page.evaluate(() => `${location.search} ${JSON.stringify({ ...sessionStorage })}`);
  assert(left.trim() === '{}', `something of the sign-in is left: ${left}`);
  // an answer that belongs to no sign-in of this tab
  await page.goto(`${guarded}?code=stolen&state=guessed`);
  await textOf(page, '.bad-box', 'belongs to no sign-in');
  assert(auth.seen.token.length === 1, 'the stolen code was sent');
  seen.requests = seen.requests.filter((url) => !url.startsWith(auth.url));
  auth.stop();
});

await check('an issuer without PKCE is not signed in to', {}, async (page, seen) => {
  const auth = await issuer({ code_challenge_methods_supported: undefined });
  const port = await freePort();
  const guarded = await serve(program('everything'), { MCPFN_AUTH: 'oauth', MCPFN_ISSUER: auth.url, MCPFN_PUBLIC_URL: `http://127.0.0.1:${port}/mcp`, MCPFN_PAGE_CLIENT_ID: 'page' }, `${port}`);
  await page.goto(guarded);
  const signIn = `Sign in at ${new URL(auth.url).host}`;
  await textOf(page, 'main button', signIn);
  await press(page, signIn);
  await textOf(page, '.bad-box', 'PKCE');
  assert(auth.seen.authorize.length === 0, 'it was left for the issuer');
  seen.requests = seen.requests.filter((url) => !url.startsWith(auth.url));
  auth.stop();
});

await check('client configuration is complete, and is copied as it stands', {}, async (page) => {
  // headless Chromium has no clipboard
  await page.evaluateOnNewDocument(() => {
    navigator.clipboard.writeText = async (text) => { window.copied = text; };
  });
  await page.goto(`${everything}#connect`);
  await textOf(page, 'h2', 'Connect a client');
  const blocks = await page.evaluate(() => [...document.querySelectorAll('main pre')].map((node) => node.textContent));
  assert(!blocks.some((text) => text.includes('{url}')), blocks.join('\n'));
  assert(blocks.filter((text) => text.includes(`${everything}mcp`)).length > 4, blocks.join('\n'));
  for (const [index, text] of blocks.entries()) {
    await page.evaluate((index) => document.querySelectorAll('main .ends button')[index].click(), index);
    await page.waitForFunction((index) => document.querySelectorAll('main .ends button')[index].textContent === 'Copied', {}, index);
    assert((await page.evaluate(() => window.copied)) === text, `not copied: ${text}`);
  }
});

const shop = await serve(program('mcpfn'));
for (const [name, options] of [['light', {}], ['dark', { dark: true }], ['phone', { width: 390, height: 844 }]]) {
  await check(`screenshots: ${name}`, options, async (page) => {
    await page.goto(shop);
    await textOf(page, '#list a', 'search_products');
    await picture(page, `${name}-start`);
    await page.goto(`${shop}#tool=search_products`);
    await textOf(page, 'h2', 'Search products');
    await step(page, { write: 'headphones', in: 'query' });
    await call(page);
    await picture(page, `${name}-result`);
    await page.goto(`${shop}#tool=query_table`);
    await textOf(page, 'h2', 'Query table');
    await press(page, 'Add to filters');
    await call(page);
    await picture(page, `${name}-form`);
    await page.goto(`${shop}#connect`);
    await textOf(page, 'h2', 'Connect a client');
    await picture(page, `${name}-connect`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert(!wide, 'the page is wider than its window');
  });
}

async function freePort() {
  const probe = createServer();
  await new Promise((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

stopAll();
await browser.close();
process.exit();
