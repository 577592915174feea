// Writes docs/pictures/console: each view, light and dark. A picture that looks as before stays as it is.
// With PICTURES, a folder, all are written there, and it fails where the documents have none of a view.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import UPNG from 'upng-js';
import { launch } from './chromium.js';
import { Visit } from './page.js';
import { sink } from './sink.js';
import { eachView, scene, views } from './views.js';

const DOCUMENTS = fileURLToPath(new URL('../../../docs/pictures/console/', import.meta.url));
const ELSEWHERE = process.env['PICTURES'];
const COLORS = 96;
/** Which part of a picture may differ before it is written anew: less than a word is. */
const SAME = 0.0002;
/** Whom the pictures show, whenever they are made. */
const CAST = { sub: 'ada', newcomer: 'bo', email: 'ada@example.com', work: 'ada@contoso.example', governed: 'bo@fabrikam.example' };
/** What is another one each time, and what stands for it. */
const OTHERS: [RegExp, string][] = [
  [/\b(con|trg|evt)_[0-9a-f]{32}\b/g, '$1_019b78ef2a6c7e519d0b4c8f1a2e3d40'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '2026-01-01T09:30:02.481Z'],
  [/\b\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d:\d\d/g, '1 Jan 2026, 09:30:02'],
  [/\b19b[0-9a-f]{13}\b/g, '19b78f1d5c2a4e60'],
  [/(_id": ")\d+"/g, '$11018"'],
  [/^[\w+/-]{10,}=$/g, 'Wm3yZjE0FiAEJQw='],
  [/\b\d+ minutes? ago\b/g, 'just now'],
  [/\bin \d+ minutes\b/g, 'in 9 minutes'],
  [/\b\d+ of 6000 units\b/g, '104 of 6000 units'],
];

async function steadied(visit: Visit): Promise<void> {
  const others = OTHERS.map(([pattern, instead]) => [pattern.source, instead] as const);
  await visit.page.evaluate((others) => {
    (document.activeElement as HTMLElement | null)?.blur();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const before = text.nodeValue ?? '';
      const after = others.reduce((said, [pattern, instead]) => said.replace(new RegExp(pattern, 'g'), instead), before);
      if (after !== before) text.nodeValue = after;
    }
    // The fake's own port is another one each time.
    for (const field of document.querySelectorAll('input')) field.value = field.value.replace(/^http:\/\/127\.0\.0\.1:\d+/, 'https://login.example');
  }, others);
}

function pixels(png: Buffer): Uint8Array {
  const bytes = png.buffer.slice(png.byteOffset, png.byteOffset + png.byteLength) as ArrayBuffer;
  return new Uint8Array(UPNG.toRGBA8(UPNG.decode(bytes))[0]!);
}

/** Which part of the pixels differs so that somebody would see it. */
function difference(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) return 1;
  let differing = 0;
  for (let at = 0; at < one.length; at += 4) {
    const far = Math.abs(one[at]! - other[at]!) + Math.abs(one[at + 1]! - other[at + 1]!) + Math.abs(one[at + 2]! - other[at + 2]!);
    if (far > 60) differing += 1;
  }
  return (4 * differing) / one.length;
}

mkdirSync(ELSEWHERE ?? DOCUMENTS, { recursive: true });
const drain = await sink();
const browser = await launch(drain.port);
let failed = false;
try {
  const world = await scene(CAST);
  for (const theme of ['light', 'dark'] as const) {
    const visits: Visit[] = [];
    const window = async () => {
      const visit = await Visit.begin(browser, { theme });
      visits.push(visit);
      return visit;
    };
    await eachView(views(world), world, window, async ({ name }, visit) => {
      await steadied(visit);
      const shot = await visit.page.screenshot({ animations: 'disabled', caret: 'hide' });
      const { width, height } = visit.page.viewportSize()!;
      const rgba = pixels(shot);
      const small = Buffer.from(UPNG.encode([rgba.buffer as ArrayBuffer], width, height, COLORS));
      const file = `${name}-${theme}.png`;
      const known = join(DOCUMENTS, file);
      const before = existsSync(known) ? pixels(readFileSync(known)) : undefined;
      const differs = before === undefined || difference(pixels(small), before) > SAME;
      if (ELSEWHERE || differs) writeFileSync(join(ELSEWHERE ?? DOCUMENTS, file), small);
      // Another machine has other fonts: that a picture differs is told, that there is none fails.
      if (ELSEWHERE && before === undefined) failed = true;
      const said = before === undefined ? 'new' : differs ? 'differs' : 'as before';
      console.log(`${said.padEnd(9)}  ${(small.length / 1000).toFixed(0).padStart(4)} kB  ${file}`);
    });
    for (const visit of visits) await visit.end();
  }
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await browser.close();
  drain.close();
}
process.exit(failed ? 1 : 0);
