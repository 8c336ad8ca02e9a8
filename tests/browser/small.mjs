// Makes what is served of the page small: `node small.mjs` says whether small.js and small.css are what esbuild makes of
// the files beside them, `node small.mjs --write` writes them.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

import { transform } from 'esbuild';

const folder = new URL('../../crates/http/src/page/', import.meta.url);
const read = async (names) => (await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')))).join('');

const script = await read(['rpc.js', 'form.js', 'sign_in.js', 'page.js']);
const style = await read(['page.css']);
const options = { minify: true, legalComments: 'none', charset: 'utf8' };
const made = {
  'small.js': (await transform(script, { ...options, loader: 'js', format: 'esm', target: 'es2023' })).code,
  'small.css': (await transform(style, { ...options, loader: 'css' })).code,
  // a test in Rust compares it with the sources
  'sources.sha256': `${createHash('sha256').update(script + style).digest('hex')}\n`,
};

for (const [name, text] of Object.entries(made)) {
  const place = new URL(name, folder);
  if (process.argv.includes('--write')) {
    await writeFile(place, text);
  } else if (text !== (await readFile(place, 'utf8').catch(() => ''))) {
    console.log(`not ok ${name} is not what esbuild makes of its sources: run \`cargo xtask browser --write\``);
    process.exit(1);
  }
}
console.log('ok the page is what esbuild makes of its sources');
