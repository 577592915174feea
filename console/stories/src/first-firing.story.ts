// A first visit, as a new user would: from nothing to the first mail that fires.

import assert from 'node:assert/strict';
import { connect, see } from './page.js';
import { outlook, person, PROVIDERS } from './stack.js';
import { story } from './story.js';

for (const provider of PROVIDERS) {
  story(`first visit to first firing: ${provider.name}`, provider === outlook ? 'whole' : 'short', async ({ visit, step, say }) => {
    const { sub, mailbox } = person(`first-${provider.id}`);
    const { page } = visit;
    const email = mailbox();
    const began = performance.now();
    let steps = 0;
    const does = <T>(what: string, act: () => Promise<T>) => {
      steps += 1;
      return step(what, act);
    };

    await step('the page opens', async () => {
      await visit.open();
      await see(visit.button('Sign in'), 'the way to sign in');
    });
    await does('sign in at the issuer', () => visit.signIn(sub));
    await see(visit.heading('Connect your first mailbox'), 'what to do first');
    await does('connect a mailbox at the provider', () => connect(visit, email, provider));
    await does('go to its triggers', () => visit.link('Go to its triggers').click());
    await does('a new trigger', () => visit.link(/new trigger|make .*trigger/i).first().click());
    await does('subject contains “invoice”', () => page.getByLabel(/^Subject contains, 1 of/).fill('invoice'));
    await does('name the agent', () => page.getByLabel("Agent's id").fill('billing-agent'));
    await does('make the trigger', async () => {
      await visit.button('Make the trigger').click();
      await see(visit.text('The trigger is made'), 'that it is made');
    });
    await does('look at what fired', async () => {
      await visit.link('What fired').first().click();
      await page.waitForURL(/firings/);
    });
    const subject = 'Your invoice of May';
    await provider.deliver(email, { from: 'Billing <billing@shop.example>', subject, text: 'Please find the invoice attached.' });
    await step('a mail arrives, and the firing appears by itself', () => see(visit.text(subject), 'the firing'));
    say(`first visit to first firing: ${steps} steps, ${((performance.now() - began) / 1000).toFixed(1)} s`);

    assert.deepEqual(visit.dialogs, []);
    assert.deepEqual(visit.forbidden, []);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie, location.href]));
    assert.doesNotMatch(stored, /eyJ|token/i, 'no token is stored, and none is in the address');
  });
}
