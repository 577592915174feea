// Lighthouse on the page, as on a phone and as on a desk. Its packages are apart: no other story needs them.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { found } from './chromium.js';
import { CONSOLE } from './stack.js';
import { story } from './story.js';

const LEAST = 95;
/** What else runs on this machine makes a page slower, never faster: the best of these tries counts. */
const TRIES = 3;
const FOLDER = fileURLToPath(new URL('../lighthouse/', import.meta.url));

function installed(): string {
  const program = join(FOLDER, 'node_modules/lighthouse/cli/index.js');
  if (!existsSync(program)) {
    const npm = process.env['npm_execpath'];
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
    const { status } = npm
      ? spawnSync(process.execPath, [npm, ...args], { cwd: FOLDER, stdio: 'inherit' })
      : spawnSync('npm', args, { cwd: FOLDER, stdio: 'inherit' });
    assert.equal(status, 0, 'Lighthouse cannot be installed');
  }
  return program;
}

/** A browser of Lighthouse's own: it takes measures that other stories would feel. */
async function browser(): Promise<{ port: string; end: () => void }> {
  const { program, env } = found();
  const home = mkdtempSync(join(tmpdir(), 'lighthouse-'));
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', `--user-data-dir=${home}`, 'about:blank'];
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const end = () => {
    child.once('exit', () => rmSync(home, { recursive: true, force: true }));
    child.kill();
  };
  const port = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (piece) => {
      said += piece;
      const at = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said);
      if (at) resolve(at[1]!);
    });
    child.once('exit', () => reject(new Error(said)));
  });
  return { port, end };
}

interface Report {
  categories: Record<string, { score: number }>;
  audits: Record<string, { score: number | null; title: string; displayValue?: string }>;
}

type Form = 'desktop' | 'mobile';

function measured(form: Form, port: string): Report {
  const folder = mkdtempSync(join(tmpdir(), 'lighthouse-'));
  try {
    const output = join(folder, 'report.json');
    const categories = '--only-categories=performance,accessibility,best-practices';
    const args = [installed(), CONSOLE, `--port=${port}`, categories, '--output=json', `--output-path=${output}`, '--quiet'];
    if (form === 'desktop') args.push('--preset=desktop');
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return JSON.parse(readFileSync(output, 'utf8')) as Report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SHOWN = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift', 'total-byte-weight'];
const scored = ({ categories }: Report, name: string) => Math.round((categories[name]?.score ?? 0) * 100);

for (const form of ['desktop', 'mobile'] as const) {
  story(`Lighthouse, ${form}: performance and accessibility at least ${LEAST}`, 'whole', async ({ say }) => {
    const { port, end } = await browser();
    try {
      let best: Report | undefined;
      for (let tried = 1; tried <= TRIES; tried += 1) {
        const report = measured(form, port);
        if (!best || scored(report, 'performance') > scored(best, 'performance')) best = report;
        if (scored(best, 'performance') >= LEAST) break;
      }
      assert.ok(best);
      const { categories, audits } = best;
      say(Object.keys(categories).map((name) => `${name} ${scored(best!, name)}`).join(', '));
      say(SHOWN.map((id) => `${audits[id]?.title}: ${audits[id]?.displayValue}`).join(', '));
      const failed = Object.values(audits).filter(({ score }) => score !== null && score < 0.9);
      const why = failed.map(({ title, displayValue }) => `${title} ${displayValue ?? ''}`).join('; ');
      for (const category of ['accessibility', 'performance']) assert.ok(scored(best, category) >= LEAST, why);
    } finally {
      end();
    }
  });
}
