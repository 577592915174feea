// The browser: an installed Chromium where there is one, or the one inside the package @sparticuz/chromium.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Where everything is that the stories leave behind. */
export const LOCAL = join(root, '.local', 'stories');
const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome-stable', '/usr/bin/google-chrome'];

export interface Found {
  program: string;
  env: Record<string, string>;
}

/** `CHROMIUM` names another one, or is `packed` for the one of the package. */
export function found(): Found {
  const wanted = process.env['CHROMIUM'];
  const installed = wanted === 'packed' ? undefined : (wanted ?? INSTALLED.find((path) => existsSync(path)));
  return installed ? { program: installed, env: {} } : unpacked();
}

function unpacked(): Found {
  const inside = fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
  const packed = inside.slice(0, inside.lastIndexOf('/build/'));
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8')) as { version: string };
  const home = join(root, '.local', `chromium-${version}`);
  if (!existsSync(home)) {
    mkdirSync(dirname(home), { recursive: true });
    // Unpacked elsewhere and moved, so that one that was interrupted is never taken for whole.
    const draft = mkdtempSync(`${home}-`);
    const content = (name: string) => brotliDecompressSync(readFileSync(join(packed, 'bin', name)));
    writeFileSync(join(draft, 'chromium'), content('chromium.br'), { mode: 0o755 });
    for (const name of ['fonts.tar.br', 'al2023.tar.br']) {
      const { status, stderr } = spawnSync('tar', ['-x', '-C', draft], { input: content(name) });
      if (status !== 0) throw new Error(`${name} cannot be unpacked: ${stderr}`);
    }
    writeFileSync(join(draft, 'fonts.conf'), fontsIn(home));
    try {
      renameSync(draft, home);
    } catch (error) {
      // Another run was first.
      rmSync(draft, { recursive: true });
      if (!existsSync(home)) throw error;
    }
  }
  const env: Record<string, string> = { FONTCONFIG_FILE: join(home, 'fonts.conf') };
  const program = join(home, 'chromium');
  const needs = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout ?? '';
  // Libraries of the package where the machine has none.
  if (needs.includes('not found')) env['LD_LIBRARY_PATH'] = join(home, 'lib');
  return { program, env };
}

/** The package's own font before those of the machine, so that pictures look alike everywhere. */
function fontsIn(home: string): string {
  const aliases = ['system-ui', 'sans-serif', 'Roboto', 'Segoe UI'].map(
    (family) => `<alias binding="same"><family>${family}</family><prefer><family>Open Sans</family></prefer></alias>`,
  );
  return `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${join(home, 'fonts')}</dir><dir>/usr/share/fonts</dir><cachedir>${join(home, 'font-cache')}</cachedir>
${aliases.join('\n')}</fontconfig>\n`;
}

/**
 * Each host that is not this machine leads to `sink`, a port where every connection is counted: what
 * leaves the page is seen even where no event of the browser tells it.
 */
export function launch(sink: number): Promise<Browser> {
  const { program, env } = found();
  const args = [
    `--host-resolver-rules=MAP * 127.0.0.1:${sink}, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost`,
    '--no-sandbox',
    '--disable-gpu',
    '--font-render-hinting=none',
    '--force-color-profile=srgb',
  ];
  return chromium.launch({ executablePath: program, args, env: { ...process.env, ...env } as Record<string, string> });
}
