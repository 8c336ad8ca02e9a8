// The Inspector's command line against the fixture server, as people type it, in both eras and over stdio:
//   node inspector.mjs URL PROGRAM READY-SERVER

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { assert, check } from '../e2e/checks.mjs';

const [url, program, ready] = process.argv.slice(2);
if (ready === undefined) {
  console.error('node inspector.mjs URL PROGRAM READY-SERVER');
  process.exit(2);
}
const launcher = new URL('node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url).pathname;
// its catalog and its keys would go to the home of whoever runs the tests
const home = await mkdtemp(join(tmpdir(), 'mcpfn-inspector-'));

/** Runs it, and gives its exit status and what it wrote. */
function inspect(words) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [launcher, '--cli', ...words], { env: { ...process.env, HOME: home, MCP_CATALOG_PATH: join(home, 'mcp.json') } });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text) => { out += text; });
    child.stderr.on('data', (text) => { errors += text; });
    child.on('close', (status) => done({ status, out, errors }));
  });
}

async function result(words) {
  const { status, out, errors } = await inspect(words);
  assert(status === 0, `status ${status}: ${errors || out}`);
  return JSON.parse(out);
}

const ways = [
  ['modern', [url, '--transport', 'http', '--protocol-era', 'modern']],
  ['legacy', [url, '--transport', 'http', '--protocol-era', 'legacy']],
  ['stdio', [program, '--stdio']],
];
for (const [name, server] of ways) {
  await check(`inspector ${name}: lists tools, resources and prompts`, async () => {
    const { tools } = await result([...server, '--method', 'tools/list']);
    assert(tools.some((tool) => tool.name === 'add'), `add is not among ${tools.length} tools`);
    const { resources } = await result([...server, '--method', 'resources/list']);
    assert(resources.some((one) => one.uri === 'test://static-text'), JSON.stringify(resources));
    const { prompts } = await result([...server, '--method', 'prompts/list']);
    assert(prompts.length > 0, 'there are no prompts');
  });
  await check(`inspector ${name}: calls a tool`, async () => {
    const called = await result([...server, '--method', 'tools/call', '--tool-name', 'add', '--tool-arg', 'a=2', 'b=3']);
    assert(called.structuredContent.sum === 5, JSON.stringify(called));
  });
  await check(`inspector ${name}: reads a resource and gets a prompt`, async () => {
    const { contents } = await result([...server, '--method', 'resources/read', '--uri', 'test://static-text']);
    assert(contents[0].text.length > 0, JSON.stringify(contents));
    const { messages } = await result([...server, '--method', 'prompts/get', '--prompt-name', 'test_prompt_with_arguments', '--prompt-args', 'arg1=one', 'arg2=two']);
    assert(JSON.stringify(messages).includes('two'), JSON.stringify(messages));
  });
  await check(`inspector ${name}: verifies every file of every skill, and reads directories`, async () => {
    const { status, out, errors } = await inspect([...server, '--method', 'skills/list', '--verify', '--require-digests']);
    assert(status === 0, `status ${status}: ${errors || out}`);
    const { skill } = await result([...server, '--method', 'skills/get', '--uri', 'skill://fixtures-explained/SKILL.md']);
    assert(skill.frontmatter.metadata.version === '1.0' && skill.resources.length === 3, JSON.stringify(skill));
    const { resources } = await result([...server, '--method', 'resources/directory/read', '--uri', 'skill://fixtures-explained']);
    assert(resources.some((one) => one.mimeType === 'inode/directory'), JSON.stringify(resources));
    const unknown = await inspect([...server, '--method', 'skills/get', '--uri', 'skill://nothing/SKILL.md']);
    assert(unknown.status !== 0 && `${unknown.out}${unknown.errors}`.includes('skill://nothing/SKILL.md'), `${unknown.out}${unknown.errors}`);
  });
  await check(`inspector ${name}: a refusal is a refusal`, async () => {
    const { status, out, errors } = await inspect([...server, '--method', 'tools/call', '--tool-name', 'add', '--tool-arg', 'a=x']);
    assert(status !== 0 && `${out}${errors}`.includes('/b: required'), `status ${status}: ${out}${errors}`);
  });
}
await check('inspector: finds no fault in the schemas', async () => {
  const { status, errors } = await inspect([...ways[0][1], '--method', 'tools/list', '--strict', '--quiet']);
  assert(status === 0, errors);
});
for (const [tool, page] of [['suggest_reorders', 'stock'], ['get_account_timeline', 'timeline'], ['query_table', 'rows']]) {
  await check(`inspector: finds the page of ${tool}`, async () => {
    const info = await result([ready, '--stdio', '--method', 'tools/call', '--tool-name', tool, '--app-info', '--advertise-apps']);
    assert(info.resourceUri === `ui://mcpfn/${page}`, JSON.stringify(info));
  });
}
await rm(home, { recursive: true, force: true });
