// What is worth it is stored in brotli too, beside the file: the function that serves the page compresses nothing.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Plugin } from 'vite';

const KINDS = ['.js', '.css', '.svg'];
/** Below this a header costs as much as is saved. */
const LEAST_BYTES = 600;

export function brotli(): Plugin {
  let outDir = '';
  return {
    name: 'brotli',
    apply: 'build',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      for (const entry of await readdir(outDir, { recursive: true })) {
        if (!KINDS.includes(extname(entry))) continue;
        const path = join(outDir, entry);
        const bytes = await readFile(path);
        if (bytes.length < LEAST_BYTES) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        await writeFile(`${path}.br`, brotliCompressSync(bytes, { params }));
      }
    },
  };
}
