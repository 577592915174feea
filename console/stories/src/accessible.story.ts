// axe in every view, light and dark, and the way through by keyboard; the page on a phone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { see, type Visit } from './page.js';
import { story } from './story.js';
import { cast, eachView, scene, views } from './views.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Found {
  id: string;
  impact: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** Serious and critical findings. axe comes by the debugger, so that the page keeps its policy. */
async function findings(visit: Visit): Promise<string[]> {
  const { page } = visit;
  // Nothing is pointed at: what is, has colours of its own.
  await page.mouse.move(0, 0);
  const debug = await visit.context.newCDPSession(page);
  await debug.send('Runtime.evaluate', { expression: AXE });
  await debug.detach();
  const found = await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (options: object) => Promise<{ violations: Found[] }> } }).axe;
    return (await axe.run({ iframes: false })).violations;
  });
  const grave = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return grave.map(({ id, impact, help, nodes }) => `${impact} ${id}: ${help}\n  ${nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary.replaceAll('\n', ' ')}`).join('\n  ')}`);
}

for (const theme of ['light', 'dark'] as const) {
  story(`axe finds nothing serious in any view, ${theme}`, 'whole', async ({ another, step }) => {
    const world = await scene(cast(`axe-${theme}`));
    const failed: string[] = [];
    const window = () => another({ theme });
    await eachView(views(world), world, window, (view, visit) =>
      step(view.name, async () => {
        failed.push(...(await findings(visit)).map((finding) => `${view.name}: ${finding}`));
      }),
    );
    assert.deepEqual(failed, []);
  });
}

story('on a phone nothing is wider than the screen', 'whole', async ({ another, step }) => {
  const world = await scene(cast('phone'));
  const failed: string[] = [];
  await eachView(views(world), world, () => another({ width: 360, height: 740 }), (view, visit) =>
    step(view.name, async () => {
      const wide = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) failed.push(`${view.name} is ${wide} pixels too wide`);
    }),
  );
  assert.deepEqual(failed, []);
});

story('a trigger is made by keyboard alone', 'whole', async ({ visit, step }) => {
  const { page } = visit;
  const world = await scene(cast('keyboard'));
  await visit.signIn(world.sub);
  /** Tab until what has the focus is called so. */
  const to = async (name: RegExp, key = 'Tab') => {
    for (let pressed = 0; pressed < 80; pressed += 1) {
      await page.keyboard.press(key);
      const called = await page.evaluate(() => {
        const at = document.activeElement as HTMLInputElement | null;
        const label = at?.labels?.[0]?.textContent ?? at?.getAttribute('aria-label') ?? at?.textContent ?? '';
        return { label, ring: at ? getComputedStyle(at).outlineStyle !== 'none' || getComputedStyle(at).boxShadow !== 'none' : false };
      });
      if (!name.test(called.label)) continue;
      assert.ok(called.ring, `${name}: the focus is seen`);
      return;
    }
    throw new Error(`no Tab leads to ${name}`);
  };
  await step('to the triggers', async () => {
    await to(/^Triggers$/);
    await page.keyboard.press('Enter');
    await see(visit.heading('Triggers'), 'the room');
  });
  await step('to a new one', async () => {
    await to(/New trigger/);
    await page.keyboard.press('Enter');
    await see(visit.heading('New trigger'), 'the form');
  });
  await step('a mailbox is chosen', async () => {
    await to(/^Mailbox/);
    await page.keyboard.press('ArrowDown');
    await page.waitForURL(/connector=con_/);
  });
  await step('the filter, and sent by Enter at the button', async () => {
    await to(/^Subject contains, 1 of/);
    await page.keyboard.type('report');
    await to(/Make the trigger/);
    await page.keyboard.press('Enter');
    await see(visit.text('The trigger is made'), 'that it is made');
  });
  await step('a dialog is left by Escape, and the focus is back', async () => {
    await to(/^Delete$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await see(page.getByRole('dialog'), 'the dialog');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Delete');
  });
});
