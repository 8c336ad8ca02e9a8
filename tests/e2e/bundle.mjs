// A bundle as desktop clients take it: made by `cargo mcpfn bundle`, unpacked and validated by the official package, and started
// with the configuration that this package makes of the manifest.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { getMcpConfigForManifest, unpackExtension, validateManifest } from '@anthropic-ai/mcpb';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { assert, check } from './checks.mjs';

const [command, program] = process.argv.slice(2);
if (!program) {
  console.error('node bundle.mjs CARGO-MCPFN PROGRAM');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'mcpfn-bundle-'));
const project = join(folder, 'project');
mkdirSync(join(project, 'src'), { recursive: true });
writeFileSync(join(project, 'Cargo.toml'), `[package]
name = "ready"
version = "1.2.3"
edition = "2024"
description = "The ready server."
authors = ["Ada <ada@example.com>"]
[workspace]
`);
writeFileSync(join(project, 'src/main.rs'), 'fn main() {}');
writeFileSync(join(project, '.env.example'), 'MCPFN_TOOLKITS=hello\nMCPFN_WEATHER_API_KEY=key\n');
// what nobody needs of it takes a minute to pack
const small = join(folder, 'program');
const given = spawnSync('strip', ['-o', small, program]).status === 0 ? small : program;
const file = join(folder, 'ready.mcpb');
const unpacked = join(folder, 'unpacked');

await check('bundle: made', () => {
  const made = spawnSync(command, ['bundle', project, '--binary', given, '--output', file], { encoding: 'utf8' });
  assert(made.status === 0, made.stderr);
});
await check('bundle: the official package takes it', async () => {
  assert(await unpackExtension({ mcpbPath: file, outputDir: unpacked, silent: true }), 'it is not unpacked');
  assert(validateManifest(join(unpacked, 'manifest.json')), 'the manifest is not valid');
});
await check('bundle: what it makes of the manifest starts the server', async () => {
  const manifest = JSON.parse(readFileSync(join(unpacked, 'manifest.json'), 'utf8'));
  const settings = { manifest, extensionPath: unpacked, systemDirs: {}, pathSeparator: '/' };
  // without the key nothing is started
  assert((await getMcpConfigForManifest({ ...settings, userConfig: {} })) === undefined, 'a missing key is not missed');
  const start = await getMcpConfigForManifest({ ...settings, userConfig: { mcpfn_weather_api_key: 'secret' } });
  assert(existsSync(start.command) && statSync(start.command).mode & 0o100, `${start.command} can't be started`);
  assert(start.env.MCPFN_WEATHER_API_KEY === 'secret' && start.env.MCPFN_TOOLKITS === 'hello', JSON.stringify(start.env));
  // the key belongs to a toolkit that is not served
  const env = { ...start.env, MCPFN_TOOLKITS: 'hello,weather' };
  const client = new Client({ name: 'bundle', version: '1' });
  await client.connect(new StdioClientTransport({ command: start.command, args: start.args, env, stderr: 'inherit' }));
  const { tools } = await client.listTools();
  assert(tools.some((tool) => tool.name === 'hello_world'), JSON.stringify(tools));
  await client.close();
});
rmSync(folder, { recursive: true });
