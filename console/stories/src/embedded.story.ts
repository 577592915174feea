// The page on which a product's users connect a mailbox: it tells the product's one origin, and nobody else.

import assert from 'node:assert/strict';
import type { BrowserContext, Page } from 'playwright-core';
import { consent, see } from './page.js';
import { APP_ORIGIN, api, person, PROVIDERS } from './stack.js';
import { story } from './story.js';

/** A page of another product, which opens what it is given and writes down what it hears. */
async function product(context: BrowserContext, origin: string): Promise<Page> {
  const html = `<!doctype html><title>product</title><button>Connect your mailbox</button><script>
    window.heard = [];
    addEventListener('message', ({ origin, data }) => heard.push({ origin, data }));
    document.querySelector('button').onclick = () => open(window.target, '_blank', 'popup,width=500,height=700');
  </script>`;
  const page = await context.newPage();
  await page.route(`${origin}/`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(`${origin}/`);
  return page;
}

async function opened(page: Page, url: string): Promise<Page> {
  await page.evaluate((target) => Object.assign(window, { target }), url);
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button').click()]);
  return popup;
}

type Heard = { origin: string; data: { type: string; connector_id?: string; email_address?: string } }[];
const heardBy = (page: Page) => page.evaluate(() => (window as unknown as { heard: Heard }).heard);

for (const provider of PROVIDERS) {
  story(`a product’s user connects a mailbox, and the product hears of it: ${provider.name}`, 'whole', async ({ visit, step }) => {
    const { sub, mailbox } = person(`embedded-${provider.id}`);
    const asked = await api(sub);
    const session = () => asked('POST', '/api/connect-sessions', { origin: APP_ORIGIN, provider: provider.id });
    const shop = await product(visit.context, APP_ORIGIN);

    await step('cancelled', async () => {
      const popup = await opened(shop, (await session()).url);
      await popup.getByRole('button', { name: 'Cancel' }).click().catch(() => undefined);
      await shop.waitForFunction(() => (window as unknown as { heard: Heard }).heard.length === 1);
      assert.equal((await heardBy(shop))[0]?.data.type, 'email-connectors:cancelled');
    });
    const { url, session_token } = await session();
    await step('connected', async () => {
      const popup = await opened(shop, url);
      await popup.getByText(APP_ORIGIN).first().waitFor();
      assert.ok(!popup.url().includes(session_token), 'the token does not stay in the address');
      const [window] = await Promise.all([popup.waitForEvent('popup'), popup.getByRole('button', { name: /^Continue to / }).click()]);
      const closed = popup.waitForEvent('close');
      await consent(window, mailbox());
      await shop.waitForFunction(() => (window as unknown as { heard: Heard }).heard.length === 2);
      const { data, origin } = (await heardBy(shop))[1]!;
      assert.equal(data.type, 'email-connectors:connected');
      assert.equal(data.email_address, mailbox());
      assert.ok(url.startsWith(origin), 'by the console’s own origin');
      const { connectors } = await asked('GET', '/api/connectors');
      assert.equal(connectors[0].id, data.connector_id);
      // The window closes by itself.
      await closed;
    });
    await step('the link is good once', async () => {
      const popup = await opened(shop, url);
      await see(popup.getByText(/no longer good|is connected/), 'that it was used');
      await popup.close();
    });
    await step('a page of another origin hears nothing', async () => {
      const thief = await product(visit.context, 'https://thief.example');
      const popup = await opened(thief, (await session()).url);
      // It may close before the click is answered.
      const closed = popup.waitForEvent('close');
      await popup.getByRole('button', { name: 'Cancel' }).click().catch(() => undefined);
      await closed;
      assert.deepEqual(await heardBy(thief), []);
      // What the page told went to the session's origin alone: the browser says so.
      visit.errors.length = 0;
    });
  });
}
