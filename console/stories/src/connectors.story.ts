// Several mailboxes; one whose grant dies and comes back.

import assert from 'node:assert/strict';
import { begin, connect, consent, row, see } from './page.js';
import { api, connected, gmail, outlook, person, PROVIDERS, triggered, until } from './stack.js';
import { story } from './story.js';

story('with two connectors, the picker decides', 'whole', async ({ visit, step }) => {
  const { page } = visit;
  const { sub, mailbox } = person('picker');
  const own = await connected(sub, mailbox());
  const other = mailbox('other');
  await connected(sub, other, outlook);
  await visit.signIn(sub, 'admin', '/mail');
  const picker = page.getByLabel('Mailbox');
  await step('the mail room asks which', async () => {
    await see(visit.button(other), 'the other one');
    await see(visit.button(mailbox()), 'its own');
  });
  await step('nothing is chosen for the person', async () => {
    await visit.go('/triggers/new');
    await picker.waitFor();
    assert.equal(await picker.inputValue(), '');
    await visit.button('Make the trigger').click();
    assert.equal(await picker.evaluate((element) => element === document.activeElement), true, 'the picker is pointed at');
  });
  await step('one is chosen, and stays chosen in the address', async () => {
    await picker.selectOption({ label: mailbox() });
    await page.waitForURL(new RegExp(`connector=${own}`));
    await page.getByLabel(/^Subject contains, 1 of/).fill('report');
    await visit.button('Make the trigger').click();
    await see(visit.text('The trigger is made'), 'that it is made');
  });
  const { triggers } = await (await api(sub))('GET', '/api/triggers');
  assert.deepEqual(triggers.map(({ config }: { config: { connector_id: string } }) => config.connector_id), [own]);
  await step('the choice stays in the other rooms', async () => {
    await visit.link('Mail').click();
    await see(page.getByRole('search'), 'the search');
    assert.equal(await picker.inputValue(), own);
  });
});

for (const provider of PROVIDERS) {
  story(`another account is not taken for the connected one, and can replace it: ${provider.name}`, 'whole', async ({ visit, step }) => {
    const { page } = visit;
    const { sub, mailbox } = person(`replaces-${provider.id}`);
    const [first, second] = [mailbox('first'), mailbox('second')];
    await visit.signIn(sub);
    await step('connect one', () => connect(visit, first, provider));
    await visit.button('Close').click();
    await step('consent of another account', async () => {
      await begin(visit, provider);
      const window = await visit.opened(() => visit.button(/^Continue to /).click());
      await consent(window, second);
      await see(visit.text('Another account is connected already'), 'that another is connected');
      await see(visit.text(new RegExp(`Replacing disconnects ${first}`)), 'what a replacement deletes');
    });
    await step('replace it', async () => {
      const window = await visit.opened(() => visit.button('Replace the connected account').click());
      await consent(window, second);
      await see(visit.text(`${second} is connected`), 'that the other is connected');
      await visit.button('Close').click();
      await see(row(page, second), 'the new one');
    });
  });

  story(`a grant dies, is seen, and comes back; the mail of the time between fires: ${provider.name}`, 'whole', async ({ visit, step }) => {
    const { page } = visit;
    const { sub, mailbox } = person(`grant-${provider.id}`);
    const email = mailbox();
    const connector = await connected(sub, email, provider);
    await triggered(sub, connector, { subject_contains: ['invoice'] });
    await visit.signIn(sub);
    await see(row(page, email).getByText('Active'), 'that it is active');

    await provider.revokeGrants(email);
    await provider.deliver(email, { subject: 'The invoice of the time between', text: 'x' });
    await step('it is seen in the list, by itself', () => see(row(page, email).getByText('Needs sign-in again'), 'that it needs a sign-in'));
    await step('its page says what to do', async () => {
      await visit.link(email).click();
      await see(visit.text('needs_reauth'), 'the finding');
    });
    await step('reconnect', async () => {
      await visit.button('Reconnect').first().click();
      const window = await visit.opened(() => visit.button(/^Continue to /).click());
      await consent(window, email);
      await see(visit.text(`${email} is connected`), 'that it is connected');
      await visit.button('Close').click();
      await see(visit.text('Active'), 'that it is active');
    });
    await step('what waited fires', async () => {
      await visit.go('/firings');
      await see(visit.text('The invoice of the time between'), 'the firing');
    });
  });

  story(`a connector is paused, renamed and disconnected, with its receipt: ${provider.name}`, 'whole', async ({ visit, step }) => {
    const { sub, mailbox } = person(`ends-${provider.id}`);
    const connector = await connected(sub, mailbox(), provider);
    await visit.signIn(sub, 'admin', `/connectors/${connector}`);
    await step('pause and resume', async () => {
      await visit.button('Pause').click();
      await see(visit.text('Paused: mail that arrives now never fires.'), 'that it is paused');
      await visit.button('Resume').first().click();
      await see(visit.text('Resumed: new mail fires again.'), 'that it goes on');
    });
    await step('rename', async () => {
      await visit.button('Rename').click();
      await visit.page.getByRole('dialog').getByRole('textbox').fill('Bills');
      await visit.page.getByRole('dialog').getByRole('button', { name: /save|rename/i }).click();
      await see(visit.heading('Bills'), 'the name');
    });
    await step('disconnect', async () => {
      await visit.button('Disconnect').click();
      await visit.page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
      await see(visit.heading('Disconnected'), 'the receipt');
      await see(visit.text('Triggers, records and secrets are deleted'), 'what was deleted');
      // Microsoft lets no app take its own access back.
      const access = provider === gmail ? 'The access is revoked' : 'The access stays on the list of apps';
      await see(visit.text(access), 'what became of the access');
    });
    const asked = await api(sub);
    await until('the connector is gone', async () => (await asked('GET', '/api/connectors')).connectors.length === 0);
  });
}
