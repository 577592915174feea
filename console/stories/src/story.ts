// How a story is told: one browser for all, one window for each, its steps with their seconds, a picture if it fails.

import { test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch } from './chromium.js';
import { type Look, Visit } from './page.js';
import { type Sink, sink } from './sink.js';

export interface Told {
  visit: Visit;
  browser: Browser;
  sink: Sink;
  /** Does one thing, and prints how long it took. */
  step: <T>(what: string, act: () => Promise<T>) => Promise<T>;
  /** Prints a line. */
  say: (line: string) => void;
  /** Another window, as of another person; it is closed with the story. */
  another: (look?: Look) => Promise<Visit>;
}

export type Form = 'short' | 'whole';
export const FORM: Form = [process.env['STORIES'], process.env['TEST_DEPTH']].includes('whole') ? 'whole' : 'short';

let started: Promise<{ browser: Browser; sink: Sink }> | undefined;

function world() {
  started ??= sink().then(async (sink) => ({ sink, browser: await launch(sink.port) }));
  return started;
}

/** Ends the browser; what was not started needs no end. */
export async function farewell(): Promise<void> {
  const { browser, sink } = (await started?.catch(() => undefined)) ?? {};
  await browser?.close();
  sink?.close();
}

/** A story that is told in the short form too has `short` as its form. */
export function story(name: string, form: Form, tell: (told: Told) => Promise<void>, look: Look = {}): void {
  const skip = form === 'whole' && FORM === 'short' ? 'of the whole form: STORIES=whole' : false;
  test(name, { skip, timeout: 300_000 }, async () => {
    const { browser, sink } = await world();
    const visits: Visit[] = [];
    const another = async (asked: Look = look) => {
      const visit = await Visit.begin(browser, asked);
      visits.push(visit);
      return visit;
    };
    const say = (line: string) => console.log(`    ${line}`);
    const step = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
      const began = performance.now();
      const value = await act();
      say(`${((performance.now() - began) / 1000).toFixed(2).padStart(6)} s  ${what}`);
      return value;
    };
    const visit = await another();
    sink.forget();
    try {
      await tell({ visit, browser, sink, step, say, another });
      const errors = visits.flatMap((each) => each.errors);
      if (errors.length > 0) throw new Error(`the page's console has errors: ${errors.join('\n')}`);
    } catch (error) {
      for (const [at, each] of visits.entries()) {
        const path = await each.picture(`failed-${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 100)}-${at}`).catch(() => '(no picture)');
        say(`at ${each.page.url()}, seen in ${path}`);
      }
      throw error;
    } finally {
      for (const each of visits) await each.end();
    }
  });
}
