// Hostile mail in the reader: nothing runs, nothing leaves, nothing is covered, and it can still be read.

import assert from 'node:assert/strict';
import type { Frame, Page } from 'playwright-core';
import { HOSTILE, type HostileMail, READABLE } from './hostile-mails.js';
import type { Visit } from './page.js';
import { connected, gmail, person, PROVIDERS } from './stack.js';
import { FORM, story, type Told } from './story.js';

const FRAMES = /\/mail-frame(-pictures)?\.html/;

/** The frame that the mail is shown in. */
async function frameOf(page: Page): Promise<Frame> {
  const box = page.locator('iframe').first();
  await box.waitFor();
  const frame = await (await box.elementHandle())?.contentFrame();
  assert.ok(frame, 'the mail is shown in a frame');
  return frame;
}

async function read(visit: Visit, connector: string, id: string): Promise<Frame> {
  await visit.go(`/mail/messages/${encodeURIComponent(id)}?connector=${connector}`);
  // A message is shown in its thread.
  await visit.page.waitForURL(({ pathname, searchParams }) => pathname.includes('/mail/threads/') && searchParams.get('message') === id);
  // Megabytes are shown as text until the whole is asked for.
  const whole = visit.button('Show the whole');
  await whole.or(visit.page.locator('iframe')).first().waitFor();
  if (await whole.isVisible()) await whole.click();
  const frame = await frameOf(visit.page);
  await frame.getByText(READABLE).first().waitFor({ state: 'attached', timeout: 30_000 });
  // Whatever loads by itself has begun to by the time that two frames are drawn.
  await visit.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  return frame;
}

/** Points of the page that something of the mail covers: each belongs to the page or to the frame's own box. */
function covered(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const frame = document.querySelector('iframe');
    if (!frame) return ['there is no frame'];
    const { left, top, right, bottom } = frame.getBoundingClientRect();
    const wrong: string[] = [];
    for (let x = 4; x < innerWidth; x += 24) {
      for (let y = 4; y < innerHeight; y += 24) {
        const inside = x >= left && x < right && y >= top && y < bottom;
        const is = document.elementFromPoint(x, y) === frame;
        if (is && !inside) wrong.push(`${x},${y}`);
      }
    }
    const main = document.querySelector('main')?.getBoundingClientRect();
    if (main && (left < main.left - 1 || right > main.right + 1)) wrong.push(`the frame is wider than its column: ${left}–${right}`);
    if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page became wider than the window');
    return wrong;
  });
}

async function harmless({ visit, sink }: Told, mail: HostileMail, frame: Frame, before: { url: string; requests: number }): Promise<void> {
  const { page } = visit;
  const { tries } = mail;
  assert.deepEqual(sink.seen, [], `${tries}: something left`);
  assert.deepEqual(visit.dialogs, [], `${tries}: a dialog opened`);
  assert.deepEqual(visit.context.pages().length, 1, `${tries}: a window opened`);
  assert.ok(page.url().startsWith(before.url), `${tries}: the page is another`);
  const marks = await Promise.all(page.frames().map((each) => each.evaluate(() => [document.title, 'HIT' in window, 'HIT' in (window.top ?? {})]).catch(() => ['', false, false])));
  for (const [title, own, top] of marks) assert.ok(title !== 'HIT' && !own && !top, `${tries}: a script ran`);
  // Nor did the frame's policy have to stop anything: the sanitiser leaves nothing that acts.
  assert.deepEqual(visit.errors, [], `${tries}: the console says`);
  const asked = visit.requests.slice(before.requests).filter((request) => !request.main).map(({ url }) => url);
  const strange = asked.filter((url) => !FRAMES.test(url) && !/^(data|blob|about):/.test(url));
  assert.deepEqual(strange, [], `${tries}: the frame asked for something`);
  assert.deepEqual(await covered(page), [], `${tries}: something is covered`);
  await visit.link('Connectors').first().click({ trial: true });
  assert.ok(frame.parentFrame() === page.mainFrame());
  const inside = await frame.evaluate(() => document.querySelectorAll('script, iframe, object, embed, form, base, link, meta[http-equiv=refresh]').length);
  assert.equal(inside, 0, `${tries}: the sanitiser left an element that acts`);
  const links = await frame.evaluate(() => [...document.querySelectorAll('a[href], area[href]')].map((link) => [link.getAttribute('href') ?? '', link.getAttribute('target') ?? '', link.getAttribute('rel') ?? '']));
  for (const [href, target, rel] of links) {
    assert.match(href ?? '', /^(https?:|mailto:|#)/, `${tries}: a link to ${href}`);
    if (!href?.startsWith('#')) assert.ok(target === '_blank' && /noopener/.test(rel ?? ''), `${tries}: a link with target ${target}, rel ${rel}`);
  }
}

const TRIED = HOSTILE.filter(({ slow }) => !slow || FORM === 'whole');

for (const provider of PROVIDERS) {
  // The fake Microsoft gives a mail one text alone: of five megabytes the API makes as much plain text, which is too large an answer.
  const tried = provider === gmail ? TRIED : TRIED.filter(({ slow }) => !slow);
  story(`${tried.length} hostile mails harm nobody: ${provider.name}`, provider === gmail ? 'short' : 'whole', async (all) => {
    const { visit, sink, step } = all;
    const { sub, mailbox } = person(`hostile-${provider.id}`);
    const email = mailbox();
    const connector = await step('a mailbox is connected', () => connected(sub, email, provider));
    const ids = await step(`${tried.length} mails arrive`, async () => {
      const arrived: string[] = [];
      for (const { html, subject = 'Look', from = 'Mallory <mallory@evil.example>' } of tried) {
        arrived.push(await provider.deliver(email, { html, subject, from, text: 'the plain text', silent: true }));
      }
      return arrived;
    });
    await step('sign in', () => visit.signIn(sub, 'admin', '/mail'));
    const failed: unknown[] = [];
    for (const [at, mail] of tried.entries()) {
      await step(mail.tries, async () => {
        sink.forget();
        visit.errors.length = 0;
        const requests = visit.requests.length;
        try {
          const frame = await read(visit, connector, ids[at]!);
          await harmless(all, mail, frame, { url: visit.page.url(), requests });
          await told(visit.page, mail);
        } catch (error) {
          failed.push(error);
        }
      });
    }
    visit.errors.length = 0;
    if (failed.length > 0) throw new AggregateError(failed, failed.map(String).join('\n'));
  });
}

/** What of the mail the page itself tells: the subject, the names, where links lead. */
async function told(page: Page, mail: HostileMail): Promise<void> {
  const said = await page.locator('main').innerText();
  assert.doesNotMatch(said, /[\u202A-\u202E\u2066-\u2069]/, `${mail.tries}: the page repeats signs that turn its text`);
  if (!mail.lies) return;
  await page.getByText(/may mislead/).click();
  for (const target of mail.lies) await page.locator('details', { hasText: 'may mislead' }).getByText(target).first().waitFor();
}

story('remote pictures load when they are asked for, and nothing else does', 'whole', async ({ visit, sink, step }) => {
  const { sub, mailbox } = person('pictures');
  const connector = await connected(sub, mailbox());
  const pictures = HOSTILE.find(({ tries }) => tries.startsWith('remote pictures'))!;
  const html = `${pictures.html}${HOSTILE[0]!.html}`;
  const id = await gmail.deliver(mailbox(), { html, subject: 'Pictures', silent: true });
  await visit.signIn(sub, 'admin', '/mail');
  await read(visit, connector, id);
  assert.deepEqual(sink.seen, []);
  await step('the reader asks for them', () => visit.button(/pictures|images|remote/i).first().click());
  await step('they are fetched', async () => {
    await visit.page.waitForFunction(() => document.querySelector('iframe')?.src.includes('pictures'));
    while (sink.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  });
  assert.ok(sink.seen.every((line) => line === 'tls' || line === 'connected'), `only pictures, only encrypted: ${sink.seen}`);
  visit.errors.length = 0;
  const ran = await visit.page.evaluate(() => 'HIT' in window);
  assert.equal(ran, false);
});

story('the hostile mails do bite where nothing protects', 'whole', async ({ browser, sink, step }) => {
  for (const mail of HOSTILE.filter(({ bites }) => bites)) {
    await step(mail.tries, async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      let bitten = false;
      page.on('dialog', (dialog) => void dialog.dismiss());
      page.on('console', (message) => (bitten ||= message.text() === 'HIT'));
      sink.forget();
      await page.route('http://naked.example/', (route) => route.fulfill({ contentType: 'text/html', body: `<body>${mail.html}` }));
      await page.goto('http://naked.example/', { waitUntil: 'commit' }).catch(() => undefined);
      const end = Date.now() + 10_000;
      while (!bitten && sink.seen.length === 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(bitten || sink.seen.length > 0, `${mail.tries}: it does nothing, so its test shows nothing`);
      await context.close();
    });
  }
});
