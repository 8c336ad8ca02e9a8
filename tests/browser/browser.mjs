// Headless Chromium, and what every page in it is watched for: refusals of its policy, errors, requests to others.

import { join } from 'node:path';

import chromium from '@sparticuz/chromium';
import puppeteer from 'puppeteer-core';

/** Starts it. MCPFN_TEST_CHROMIUM is another browser than the one that npm has for Linux. */
export async function launch() {
  const own = process.env.MCPFN_TEST_CHROMIUM;
  return puppeteer.launch({
    executablePath: own ?? (await chromium.executablePath()),
    // not the package's own, which switch the security of the web off
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    headless: own ? true : 'shell',
  });
}

/** A page in a profile of its own, and what was seen of it. */
export async function open(browser, { width = 1280, height = 900, dark = false } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const seen = { violations: [], errors: [], requests: [] };
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  await page.exposeFunction('reportViolation', (text) => seen.violations.push(text));
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
    });
  });
  page.on('pageerror', (error) => seen.errors.push(error.message));
  page.on('console', (message) => {
    // a browser says of every status from 400 on that the resource failed to load
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) seen.errors.push(message.text());
  });
  page.on('request', (request) => seen.requests.push(request.url()));
  return { page, seen, close: () => context.close() };
}

/** The text of the first element that fits, once it is there and, if `text` is given, has it. */
export async function textOf(page, selector, text = '') {
  await page.waitForFunction(
    (selector, text) => [...document.querySelectorAll(selector)].some((node) => node.textContent.includes(text)),
    { timeout: 10_000 }, selector, text,
  ).catch(async () => {
    const there = await page.evaluate(() => document.body.innerText);
    throw new Error(`no ${selector} has "${text}"; the page says: ${there.slice(0, 600)}`);
  });
  return page.evaluate(
    (selector, text) => [...document.querySelectorAll(selector)].find((node) => node.textContent.includes(text)).textContent,
    selector, text,
  );
}

/** The name of what has the focus, as a screen reader would say it. */
export async function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement;
    const label = at.labels?.[0]?.textContent ?? at.getAttribute('aria-label') ?? at.textContent;
    return `${at.tagName.toLowerCase()} ${label.trim().replace(/\s+/g, ' ')}`;
  });
}

/** Presses Tab until what has the focus has this name: nothing but the keyboard. */
export async function tabTo(page, name) {
  const passed = [];
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press('Tab');
    const here = await focused(page);
    if (here.startsWith(name)) return here;
    passed.push(here);
  }
  throw new Error(`Tab does not come to "${name}"; it passed ${[...new Set(passed)].join(' | ')}`);
}

export function assert(condition, why) {
  if (!condition) throw new Error(why);
}

/**
 * One check on a page of its own. Whatever it does, the page's policy is never broken, no script fails, and nothing is
 * asked of anybody but `origins`.
 */
export async function checked(browser, screenshots, name, options, run, origins = []) {
  const { page, seen, close } = await open(browser, options);
  try {
    const visited = await run(page, seen);
    assert(seen.violations.length === 0, `the policy was broken: ${seen.violations.join('; ')}`);
    assert(seen.errors.length === 0, `errors: ${seen.errors.join('; ')}`);
    const own = [new URL(visited ?? page.url()).origin, ...origins];
    const foreign = seen.requests.filter((url) => !url.startsWith('data:') && !own.includes(new URL(url).origin));
    assert(foreign.length === 0, `it asked others: ${foreign.join(', ')}`);
    console.log(`ok ${name}`);
  } catch (error) {
    process.exitCode = 1;
    await page.screenshot({ path: join(screenshots, `failed-${name.replaceAll(/\W+/g, '-')}.png`) }).catch(() => {});
    console.log(`not ok ${name}: ${String(error?.message ?? error).replaceAll('\n', ' ')}`);
  } finally {
    await close();
  }
}
