// What can become of a consent: each has a sentence and a way on.

import assert from 'node:assert/strict';
import { begin, consent, see } from './page.js';
import { api, gmail, microsoft, outlook, person, PROVIDERS } from './stack.js';
import { story } from './story.js';

for (const provider of PROVIDERS) {
  story(`consent that is refused, left, or given in part; and then given: ${provider.name}`, 'whole', async ({ visit, step }) => {
    const { sub, mailbox } = person(`consent-${provider.id}`);
    await visit.signIn(sub);
    await begin(visit, provider);

    await step('the person refuses', async () => {
      const window = await visit.opened(() => visit.button(/^Continue to /).click());
      await consent(window, mailbox(), 'cancel');
      await see(visit.text('You did not allow access'), 'that it was refused');
      await see(visit.text('access_denied'), 'the code');
    });
    await step('the person closes the window', async () => {
      const window = await visit.opened(() => visit.button('Ask again').click());
      await window.getByRole('button', { name: provider.allow, exact: true }).waitFor();
      await window.close();
      await see(visit.text('The window was closed'), 'that it was closed');
    });
    await step('the person allows a part', async () => {
      const window = await visit.opened(() => visit.button('Ask again').click());
      // Microsoft's page has no boxes: there, what was allowed before may be narrower than what is asked for.
      if (provider === outlook) {
        await provider.mailbox(mailbox());
        await microsoft.grantsWithout(mailbox(), ['Mail.Send']);
      }
      await consent(window, mailbox(), 'allow', provider === gmail ? [/gmail/] : []);
      await see(visit.text('A permission is missing'), 'that something is missing');
      await see(visit.text('missing_scopes'), 'the code');
    });
    await step('the person allows it', async () => {
      const window = await visit.opened(() => visit.button('Ask again').click());
      await consent(window, mailbox());
      await see(visit.text(`${mailbox()} is connected`), 'that it is connected');
    });
    const { connectors } = await (await api(sub))('GET', '/api/connectors');
    assert.deepEqual(connectors.map(({ email_address }: { email_address: string }) => email_address), [mailbox()]);
  });

  story(`where the browser blocks the window, the consent goes on in the tab: ${provider.name}`, 'whole', async ({ visit, step }) => {
    const { sub, mailbox } = person(`blocked-${provider.id}`);
    await visit.context.addInitScript(() => {
      window.open = () => null;
    });
    await visit.signIn(sub);
    await begin(visit, provider);
    await visit.button(/^Continue to /).click();
    await see(visit.text('Your browser blocked the window'), 'that it was blocked');
    await step('consent in this tab, and back', async () => {
      await visit.button('Continue in this tab').click();
      await visit.page.waitForURL((url) => !url.pathname.includes('/console'));
      await consent(visit.page, mailbox());
      await see(visit.text(`${mailbox()} is connected`), 'that it is connected');
    });
    assert.doesNotMatch(visit.page.url(), /code=|state=/, 'neither code nor state stays in the address');
  });
}
