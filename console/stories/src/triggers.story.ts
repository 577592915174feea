// A filter that matches nothing, found by the dry run; a trigger of one's own systems.

import assert from 'node:assert/strict';
import { see } from './page.js';
import { connected, fireSigned, person, PROVIDERS } from './stack.js';
import { story } from './story.js';

for (const provider of PROVIDERS) {
  story(`a filter that matches nothing is found by the dry run: ${provider.name}`, 'whole', async ({ visit, step }) => {
    const { page } = visit;
    const { sub, mailbox } = person(`dry-run-${provider.id}`);
    const connector = await connected(sub, mailbox(), provider);
    for (const subject of ['Your invoice of May', 'Lunch?', 'Invoice 7']) {
      await provider.deliver(mailbox(), { from: 'Billing <billing@shop.example>', subject, text: 'x' });
    }
    await visit.signIn(sub, 'admin', `/triggers/new?connector=${connector}`);
    const dryRun = page.getByRole('region', { name: 'Dry run' });
    const filter = page.getByLabel(/^Subject contains, 1 of/);
    /** Where only stored filters can be tried, the page says so. */
    const stored = async () => {
      const first = dryRun.getByText(/to try (it|them)\./);
      await first.or(dryRun.getByText(/would fire/)).first().waitFor();
      if (await first.isVisible()) await page.getByRole('form').locator('button[type=submit]').click();
    };
    await step('a word that is written wrongly', async () => {
      await filter.fill('invocie');
      await stored();
      await see(dryRun.getByText(/^0 of 3 messages would fire\./), 'that nothing would fire');
      await see(dryRun.getByRole('listitem').filter({ hasText: 'Subject contains keeps out 3' }), 'which filter keeps it out');
    });
    await step('why, message by message', async () => {
      await dryRun.getByRole('listitem').filter({ hasText: 'Invoice 7' }).getByText(/^Why not/).click();
      await see(dryRun.getByRole('cell').filter({ hasText: 'invocie' }), 'what was wanted');
      await see(dryRun.getByRole('cell').filter({ hasText: /invoice/i }), 'what was seen');
    });
    await step('written rightly, two of three match', async () => {
      await filter.fill('invoice');
      await stored();
      await see(dryRun.getByText(/^2 of 3 messages would fire|^0 of 3 messages would fire, and 2 more/), 'that two match');
    });
    await step('a filter that no mail can pass is refused at its field', async () => {
      await page.getByLabel('Words in From or Subject').fill('from:ada');
      await page.getByRole('form').locator('button[type=submit]').click();
      await see(page.getByRole('form').getByText(/from_contains|operator/i), 'the sentence at the field');
      assert.equal(await filter.inputValue(), 'invoice', 'what was typed stays');
    });
    await step('corrected, it is kept', async () => {
      await page.getByLabel('Words in From or Subject').fill('');
      const save = visit.button('Make the trigger').or(visit.button('Save the changes'));
      if (await save.isEnabled()) await save.click();
      await see(visit.text(/The trigger is (made|changed)/), 'that it is kept');
    });
  });
}

story('a trigger of one’s own systems shows its secret once, and fires by its signature', 'whole', async ({ visit, step }) => {
  const { page } = visit;
  const { sub, mailbox } = person('webhook');
  const connector = await connected(sub, mailbox());
  await visit.signIn(sub, 'admin', `/triggers/new?connector=${connector}`);
  await page.getByRole('radio', { name: 'Your own systems' }).check();
  await visit.button('Make the trigger').click();
  const dialog = page.getByRole('dialog');
  const secret = await step('the secret is shown', async () => {
    const shown = dialog.locator('code').filter({ hasText: /^[\w+/=-]{30,}$/ }).first();
    await see(shown, 'a secret');
    return shown.innerText();
  });
  await step('it is fired by its signature, and the firing appears', async () => {
    await dialog.getByRole('button').last().click();
    await page.waitForURL(/triggers\/trg_/);
    const id = /trg_[0-9a-f]+/.exec(page.url())![0];
    await visit.go(`/firings?trigger=${id}`);
    await see(visit.text('Nothing fired yet'), 'that nothing fired');
    await fireSigned(id, secret, { event_type: 'order.paid', resource_type: 'order', resource_id: '7' });
    await see(visit.text('order.paid'), 'the firing');
  });
  assert.ok(!(await page.content()).includes(secret), 'the secret is shown once');
});
