// Outlook's folders and categories, as the console shows and changes them.

import assert from 'node:assert/strict';
import { see } from './page.js';
import { connected, microsoft, outlook, person, until } from './stack.js';
import { story } from './story.js';

story('Outlook’s folders and categories are shown, and a thread is moved', 'whole', async ({ visit, step }) => {
  const { page } = visit;
  const { sub, mailbox } = person('folders');
  const email = mailbox();
  await outlook.mailbox(email);
  await microsoft.folder(email, 'Invoices');
  const subject = 'Your invoice of May';
  const mail = { from: 'Billing <billing@shop.example>', subject, text: 'Please find it attached.', categories: ['Blue'] };
  const id = await outlook.deliver(email, { ...mail, silent: true });
  const connector = await connected(sub, email, outlook);
  await visit.signIn(sub, 'admin', `/mail?connector=${connector}`);
  const of = async () => (await microsoft.mail(email)).find((each) => each.id === id)!;

  await step('the list has the category, and the places the folder', async () => {
    const row = page.getByRole('list', { name: 'Messages' }).getByRole('listitem').filter({ hasText: subject });
    await see(row.getByText('Blue'), 'the category');
    const folders = page.getByLabel('Place').locator('optgroup[label=Folders]');
    await folders.waitFor({ state: 'attached' });
    assert.match((await folders.textContent()) ?? '', /Invoices/);
  });
  await step('the thread is moved', async () => {
    await page.getByRole('link', { name: new RegExp(subject) }).click();
    await page.getByLabel('Move to a folder, or put on a category').selectOption({ label: 'Invoices' });
    await see(visit.text('Moved to Invoices.'), 'that it was moved');
    await until('it is in the folder', async () => (await of()).folder === 'Invoices');
  });
  await step('a folder cannot be taken off, a category can', async () => {
    const off = page.getByRole('button', { name: /^Take off the label/ });
    // The view knows where the thread is now as soon as it has read it again.
    const names = () => off.evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')).join());
    await until('the category alone can be taken off', async () => (await names()) === 'Take off the label Blue');
    await off.click();
    await until('the category is gone', async () => (await of()).categories.length === 0);
  });
  await step('it is found in its folder', async () => {
    await visit.go(`/mail?connector=${connector}`);
    await page.getByLabel('Place').selectOption({ label: 'Invoices' });
    await see(page.getByRole('link', { name: new RegExp(subject) }), 'the mail');
  });
  await step('a trigger can be of a folder', async () => {
    await visit.go(`/triggers/new?connector=${connector}`);
    await page.getByLabel('With all of these labels: add a label').selectOption({ label: 'Invoices' });
    await see(page.getByRole('region', { name: 'Dry run' }).getByText(/1 of 1 messages? would fire|1 more/), 'the dry run');
    await visit.button('Make the trigger').click();
    await see(visit.text('The trigger is made'), 'that it is made');
  });
});
