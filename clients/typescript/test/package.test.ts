// The package as its users get it, and whether what is committed is what is generated.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { signedIn, stack } from './stack.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** npm as it came with this Node, or the one of the PATH. */
const npm = process.env['npm_execpath'];

function run(cwd: string, command: string, args: string[], env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error ?? ''}${stdout}${stderr}`);
  return stdout;
}

const byNpm = (cwd: string, args: string[]) =>
  npm ? run(cwd, process.execPath, [npm, ...args]) : run(cwd, 'npm', args);

test('what is committed is what is generated', () => {
  run(root, process.execPath, ['scripts/generate.mjs', '--check']);
});

test("its version is the workspace's", () => {
  const cargo = readFileSync(join(root, '../../Cargo.toml'), 'utf8');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(version, /^version = "(.+)"$/m.exec(cargo)?.[1]);
});

const TEN_LINES = `
import { ApiProblem, createClient } from "email-connectors-client";

const client = createClient({ baseUrl: process.env.API_URL, token: () => process.env.TOKEN });
const { name } = await client.system.info();
const { connectors } = await client.connectors.list();
const problem = await client.connectors.get("con_unknown").catch((error) => error);
console.log(JSON.stringify([name, connectors.length, problem instanceof ApiProblem, problem.code]));
`;

test('packed and installed in an empty project, it makes a call in ten lines', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'email-connectors-client-'));
  try {
    const [packed] = JSON.parse(byNpm(root, ['pack', '--json', '--silent', '--pack-destination', folder]));
    const names: string[] = packed.files.map(({ path }: { path: string }) => path);
    for (const file of ['README.md', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts', 'openapi.json'])
      assert.ok(names.includes(file), file);
    assert.ok(!names.some((name) => /^(test|scripts|node_modules)\//.test(name)), names.join(' '));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    byNpm(folder, ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', `./${packed.filename}`]);
    writeFileSync(join(folder, 'ten.mjs'), TEN_LINES);
    const imported = run(folder, process.execPath, [
      '-e',
      'import("email-connectors-client").then((it) => console.log(typeof it.createClient))',
    ]);
    assert.equal(imported.trim(), 'function');
    if (!stack) return;
    const { token } = await signedIn(stack, 'packed');
    const said = run(folder, process.execPath, ['ten.mjs'], { API_URL: stack.api_url, TOKEN: token });
    assert.deepEqual(JSON.parse(said), ['email-connectors', 0, true, 'not_found']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
