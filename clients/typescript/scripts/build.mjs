// build.mjs FOLDER TSCONFIG: compiles into the folder, which is emptied before.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [folder, config] = process.argv.slice(2);
const root = new URL('..', import.meta.url);
rmSync(new URL(`${folder}/`, root), { recursive: true, force: true });
const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root));
const options = { cwd: fileURLToPath(root), stdio: 'inherit' };
process.exit(spawnSync(process.execPath, [tsc, '-p', config, '--outDir', folder], options).status ?? 1);
