// What `npm run stories` and `npm run pictures` of the console do: installs what this folder's lock says, compiles, runs.
// Its packages are apart from the console's: who builds the page needs no browser.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('.', import.meta.url);
const file = (name) => fileURLToPath(new URL(name, root));

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: fileURLToPath(root), stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The npm that runs this, or the one of the PATH. */
function npm(...args) {
  const own = process.env['npm_execpath'];
  if (own) run(process.execPath, [own, ...args]);
  else run('npm', args);
}

const stamp = file('node_modules/installed.sha256');
const wanted = createHash('sha256').update(readFileSync(file('package-lock.json'))).digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  npm('ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent');
  writeFileSync(stamp, wanted);
}
rmSync(file('.build'), { recursive: true, force: true });
run(process.execPath, [file('node_modules/typescript/bin/tsc'), '-p', file('tsconfig.json')]);
if (process.argv[2] === 'pictures') run(process.execPath, [file('.build/pictures.js')]);
else run(process.execPath, ['--test', '--test-reporter=spec', file('.build/main.js')]);
