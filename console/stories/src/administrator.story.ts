// An organization that lets only an administrator allow apps: refused, then allowed, here or elsewhere.

import assert from 'node:assert/strict';
import { begin, consent, see, type Visit } from './page.js';
import { APP_ORIGIN, api, microsoft, outlook, person } from './stack.js';
import { story } from './story.js';

/** An address in an organization of its own, whose people may allow nothing. */
async function governed(name: string): Promise<string> {
  const email = person(name).mailbox().replace('@example.com', `.${name}.example`).replace('.', '@');
  await outlook.mailbox(email);
  await microsoft.letsUsersConsent(await microsoft.tenant(email), false);
  return email;
}

const addressOf = (visit: Pick<Visit, 'page'>) => visit.page.getByRole('textbox', { name: "The administrator's address" }).inputValue();

story('an administrator allows the app, and the mailbox is connected', 'short', async ({ visit, step }) => {
  const { sub } = person('governed');
  const email = await governed('governed');
  await visit.signIn(sub);
  await begin(visit, outlook);
  await step('the organization refuses the person', async () => {
    const window = await visit.opened(() => visit.button(/^Continue to /).click());
    await consent(window, email);
    await see(visit.text('Only an administrator can allow this app'), 'why it was refused');
    await see(visit.text('admin_consent_required'), 'the code');
  });
  await step('the page tells where an administrator allows it', async () => {
    await visit.button('Ask an administrator').click();
    await see(visit.text('Send this address to an administrator'), 'what to do');
    assert.match(await addressOf(visit), /\/organizations\/v2\.0\/adminconsent\?/);
  });
  await step('the administrator refuses', async () => {
    const window = await visit.opened(() => visit.button('I am an administrator').click());
    await consent(window, email, 'cancel');
    await see(visit.text('The administrator did not allow this app'), 'that it was refused');
  });
  await step('the administrator allows it', async () => {
    const window = await visit.opened(() => visit.button('I am an administrator').click());
    await consent(window, email);
    await see(visit.text('Your organisation allows this app'), 'that it is allowed');
  });
  await step('the person connects', async () => {
    const window = await visit.opened(() => visit.button(/^Continue to /).click());
    await consent(window, email);
    await see(visit.text(`${email} is connected`), 'that it is connected');
  });
  const { connectors } = await (await api(sub))('GET', '/api/connectors');
  assert.deepEqual(connectors.map(({ email_address }: { email_address: string }) => email_address), [email]);
});

story('the administrator is another person, without an account here', 'whole', async ({ visit, step, another }) => {
  const { sub } = person('sent');
  const email = await governed('sent');
  await visit.signIn(sub);
  await begin(visit, outlook);
  const window = await visit.opened(() => visit.button(/^Continue to /).click());
  await consent(window, email);
  await visit.button('Ask an administrator').click();
  const address = await addressOf(visit);
  const administrator = await another();
  await step('the administrator refuses, and reads so', async () => {
    await administrator.page.goto(address);
    await consent(administrator.page, email, 'cancel');
    await see(administrator.heading('The app was not allowed'), 'that it was not allowed');
  });
  await step('the administrator allows it, and reads so', async () => {
    await administrator.page.goto(address);
    await consent(administrator.page, email);
    await see(administrator.heading('Your organisation allows this app'), 'that it is allowed');
    assert.doesNotMatch(administrator.page.url(), /tenant=|state=/, 'nothing of the answer stays in the address');
  });
  await step('the person asks again', async () => {
    const window = await visit.opened(() => visit.button('Ask again').click());
    await consent(window, email);
    await see(visit.text(`${email} is connected`), 'that it is connected');
  });
});

story('the API’s own refusal leads to the administrator too, also on the page for products', 'whole', async ({ visit, step }) => {
  const { sub } = person('withdrawn');
  const email = await governed('withdrawn');
  await microsoft.letsUsersConsent(await microsoft.tenant(email), true);
  await microsoft.refusesCode(email, 90094);
  const asked = await api(sub);
  const { url } = await asked('POST', '/api/connect-sessions', { origin: APP_ORIGIN, provider: 'outlook' });
  await visit.page.goto(url);
  await step('403, with its code', async () => {
    const window = await visit.opened(() => visit.button(/^Continue to /).click());
    await consent(window, email);
    await see(visit.text('Only an administrator can allow this app'), 'why it was refused');
    await see(visit.text('admin_consent_required'), 'the code');
    assert.equal(visit.forbidden.length, 1);
  });
  await step('the session is told where, and may go on', async () => {
    await visit.button('Ask an administrator').click();
    assert.match(await addressOf(visit), /adminconsent/);
    const window = await visit.opened(() => visit.button('Ask again').click());
    await consent(window, email);
    await see(visit.text(`${email} is connected`), 'that it is connected');
  });
});
