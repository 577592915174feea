// What each role is offered: not more than it may do, and nothing that the API then refuses.

import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { notThere, row, see, type Visit } from './page.js';
import { type Role, connected, google, person, triggered } from './stack.js';
import { story } from './story.js';

const MAY: Record<Role, { connect: boolean; read: boolean; write: boolean; remove: boolean }> = {
  viewer: { connect: false, read: false, write: false, remove: false },
  operator: { connect: true, read: true, write: false, remove: false },
  admin: { connect: true, read: true, write: true, remove: true },
};

async function offered(visit: Visit, role: Role, ids: { connector: string; trigger: string; message: string; email: string }) {
  const { page } = visit;
  const may = MAY[role];
  const shows = (is: boolean, element: Locator, what: string) => (is ? see : notThere)(element, `${role}: ${what}`);
  const offers = (is: boolean, name: string | RegExp, where: string) => shows(is, visit.button(name).or(visit.link(name)), `${name} ${where}`);
  await see(row(page, ids.email), 'the connector');
  await shows(may.read, visit.rooms.filter({ hasText: 'Mail' }), 'the room of mail');
  await offers(may.connect, 'Connect a mailbox', 'in the list of connectors');

  await visit.go(`/connectors/${ids.connector}`);
  await see(visit.heading(ids.email), 'the connector’s page');
  await offers(may.connect, 'Reconnect', 'at a connector');
  await offers(may.connect, 'Pause', 'at a connector');
  await offers(may.connect, 'Rename', 'at a connector');
  await offers(may.remove, 'Disconnect', 'at a connector');

  await visit.go('/triggers');
  await see(visit.text('Subject contains'), 'the trigger');
  await offers(may.connect, 'New trigger', 'in the list of triggers');
  await visit.go(`/triggers/${ids.trigger}`);
  await see(visit.heading('Trigger'), 'the trigger’s page');
  await offers(may.connect, 'Save the changes', 'at a trigger');
  await offers(may.remove, 'Delete', 'at a trigger');
  await shows(may.read, page.getByRole('region', { name: 'Dry run' }), 'the dry run');

  await visit.go('/firings');
  await see(visit.heading('What fired'), 'what fired');
  await page.getByRole('list', { name: 'What fired' }).waitFor();
  await shows(may.read, page.getByText('The invoice'), 'the mail’s subject');

  await visit.go(`/mail/messages/${ids.message}?connector=${ids.connector}`);
  if (!may.read) return see(visit.text('Your role does not allow this'), `${role}: that mail is not shown`);
  await see(visit.text('Here it is.'), 'the message');
  await offers(may.write, 'Reply', 'at a message');
  await offers(may.write, 'Archive', 'at a thread');
  await visit.go(`/mail/compose?connector=${ids.connector}`);
  if (may.write) await see(visit.heading('Write'), 'the form');
  else await see(visit.text('Only a role that may write mail can send it.'), 'that it is not offered');
}

story('each role is offered what it may do, and nothing else', 'short', async ({ visit, step, another }) => {
  const { sub, mailbox } = person('roles');
  const email = mailbox();
  const connector = await connected(sub, email);
  const trigger = await triggered(sub, connector, { subject_contains: ['invoice'] });
  const message = await google.deliver(email, { subject: 'The invoice', text: 'Here it is.' });
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    await step(role, async () => {
      const window = role === 'viewer' ? visit : await another();
      await window.signIn(sub, role);
      await offered(window, role, { connector, trigger, message, email });
      assert.deepEqual(window.forbidden, [], `${role}: the page asked for what the role may not do`);
    });
  }
});
