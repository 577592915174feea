// Every view of the console, with something to be seen in it: what axe looks at, and what the pictures show.

import { begin, consent, row, see, type Visit } from './page.js';
import { APP_ORIGIN, CONSOLE, api, connected, fireSigned, google, microsoft, outlook, person, type Role, triggered, until } from './stack.js';

export interface View {
  name: string;
  /** Who looks: `nobody` is not signed in. */
  who: Role | 'nobody' | 'newcomer';
  show: (visit: Visit) => Promise<unknown>;
}

/** An owner whose mailbox has something to show, and what the views are about. */
export interface Scene extends Cast {
  connector: string;
  /** That of the person's other mailbox. */
  other: string;
  trigger: string;
  message: string;
  session: () => Promise<string>;
}

const DAY = 24 * 3600 * 1000;

const HTML = `<h2 style="color:#17693a">Invoice 2026-05</h2><p>Dear Ada,</p><p>please find the invoice for May attached.</p>
<table border="1" cellpadding="6" style="border-collapse:collapse"><tr><th>Item</th><th>Sum</th></tr><tr><td>Subscription, May</td><td>€ 12.00</td></tr><tr><td>Storage</td><td>€ 3.50</td></tr></table>
<p><a href="https://shop.example/invoices/7">See it in your account</a> or at <a href="https://pay.evil.example/">https://bank.example/pay</a>.</p><img src="https://shop.example/logo.png" alt="Shop">`;

/** Two people by name, and the mailbox of the first, as it is in every picture. */
export interface Cast {
  sub: string;
  newcomer: string;
  email: string;
  /** The person's mailbox at the other provider. */
  work: string;
  /** In an organization that lets only an administrator allow apps. */
  governed: string;
}

export function cast(name: string): Cast {
  const { sub, mailbox } = person(name);
  const at = (domain: string) => mailbox().replace('@', `@${domain}.`);
  return { sub, newcomer: `${sub}-new`, email: mailbox(), work: at('work'), governed: `${sub}@${sub}.example` };
}

/** Mail of the last days, triggers, and what they fired. What was there before of these people is gone. */
export async function scene(cast: Cast): Promise<Scene> {
  const { sub, newcomer, email, work, governed } = cast;
  for (const owner of [sub, newcomer]) await (await api(owner))('DELETE', '/api/owner/data');
  await google.empty(email);
  await microsoft.empty(work);
  await outlook.mailbox(governed);
  await microsoft.letsUsersConsent(await microsoft.tenant(governed), false);
  const connector = await connected(sub, email);
  for (const folder of ['Invoices', 'Projects']) await microsoft.folder(work, folder);
  const other = await connected(sub, work, outlook);
  const now = Date.now();
  const mails = [
    { from: 'Bo <bo@friends.example>', subject: 'Lunch on Thursday?', text: 'Shall we try the new place?', ago: 5 * DAY },
    { from: 'Newsletter <news@shop.example>', subject: 'News of this month', text: 'New in the shop.', ago: 3 * DAY, headers: { 'List-Id': '<news.shop.example>' } },
    { from: 'Billing <billing@shop.example>', subject: 'Your invoice of April', text: 'Attached.', ago: 2 * DAY },
    { from: 'Bo <bo@friends.example>', subject: 'The photos of the trip', text: 'Here they are.', ago: DAY, attachment: { filename: 'trip.zip', mime_type: 'application/zip', size: 40_000 } },
  ];
  for (const { ago, ...mail } of mails) await google.deliver(email, { ...mail, internal_date: now - ago, silent: true });
  const board = { from: 'Cleo <cleo@partner.example>', subject: 'Minutes of the board', text: 'See below.', categories: ['Board'] };
  await outlook.deliver(work, { ...board, internal_date: now - DAY, silent: true });
  const invoice = { from: 'Billing <billing@shop.example>', subject: 'Your invoice of March', text: 'Attached.', folder: 'Invoices' };
  await outlook.deliver(work, { ...invoice, internal_date: now - 2 * DAY, silent: true });
  const trigger = await triggered(sub, connector, { subject_contains: ['invoice'], from_domain: ['shop.example'], authenticated: true });
  await triggered(sub, connector, { from_domain: ['friends.example'], has_attachment: true, automatic: false });
  const message = await google.deliver(email, {
    from: 'Billing <billing@shop.example>',
    subject: 'Your invoice of May',
    html: HTML,
    text: 'Dear Ada, please find the invoice for May attached.',
    attachment: { filename: 'invoice-2026-05.pdf', mime_type: 'application/pdf', size: 24_000 },
  });
  const asked = await api(sub);
  await until('the mail fired', async () => (await asked('GET', `/api/triggers/${trigger}/firings`)).firings[0]?.published);
  const webhook = await asked('POST', '/api/triggers', { type: 'webhook', agent_id: 'orders', config: { connector_id: connector } });
  await fireSigned(webhook.id, webhook.secret, { event_type: 'order.paid', resource_type: 'order', resource_id: '7' });
  const session = async () => (await asked('POST', '/api/connect-sessions', { origin: APP_ORIGIN })).url as string;
  return { ...cast, connector, other, trigger, message, session };
}

export function views({ email, connector, other, governed, trigger, message, session }: Scene): View[] {
  return [
    { name: 'sign-in', who: 'nobody', show: async (visit) => (await visit.open(), see(visit.button('Sign in'), 'the sign-in')) },
    {
      name: 'connect',
      who: 'nobody',
      show: async (visit) => (await visit.page.goto(await session()), see(visit.heading('Connect your mailbox'), 'the page')),
    },
    {
      name: 'allowed',
      who: 'nobody',
      show: async (visit) => {
        await visit.page.goto(`${CONSOLE}/auth/microsoft/callback?admin_consent=True&tenant=t&state=admin-consent`);
        await see(visit.heading('Your organisation allows this app'), 'what the administrator reads');
      },
    },
    { name: 'first-connector', who: 'newcomer', show: (visit) => see(visit.heading('Connect your first mailbox'), 'the empty state') },
    { name: 'connectors', who: 'admin', show: (visit) => see(row(visit.page, email).getByText('just now').or(row(visit.page, email).getByText(/ago/)), 'the list') },
    {
      name: 'consent-refused',
      who: 'newcomer',
      show: async (visit) => {
        await visit.go('/connectors');
        await begin(visit);
        const window = await visit.opened(() => visit.button(/^Continue to /).click());
        await consent(window, email, 'cancel');
        await see(visit.text('You did not allow access'), 'the refusal');
      },
    },
    {
      name: 'administrator',
      who: 'newcomer',
      show: async (visit) => {
        await visit.button('Cancel').click();
        await begin(visit, outlook);
        const window = await visit.opened(() => visit.button(/^Continue to /).click());
        await consent(window, governed);
        await visit.button('Ask an administrator').click();
        await see(visit.text('Send this address to an administrator'), 'what to do');
      },
    },
    {
      name: 'connector',
      who: 'admin',
      show: async (visit) => {
        await visit.go(`/connectors/${connector}`);
        await see(visit.text('All is well').or(visit.text('What was found')), 'the findings');
      },
    },
    { name: 'trigger-list', who: 'admin', show: async (visit) => (await roomOf(visit, 'Triggers', '/triggers'), see(visit.text(/subject contains/i), 'the triggers')) },
    {
      name: 'triggers',
      who: 'admin',
      show: async (visit) => {
        await visit.go(`/triggers/${trigger}`);
        await see(visit.page.getByText(/messages? would fire/), 'the dry run');
      },
    },
    {
      name: 'new-trigger',
      who: 'admin',
      show: async (visit) => {
        await visit.go(`/triggers/new?connector=${connector}`);
        await visit.page.getByLabel(/^Subject contains, 1 of/).fill('invoice');
        await see(visit.page.getByText(/would fire|to try it/), 'the dry run');
      },
    },
    {
      name: 'firings',
      who: 'admin',
      show: async (visit) => {
        await roomOf(visit, 'What fired', '/firings');
        await see(visit.text('Your invoice of May'), 'the firing');
        await visit.page.getByText('Event', { exact: true }).last().click();
        await see(visit.text('schema_version'), 'the event');
      },
    },
    { name: 'mail-list', who: 'admin', show: async (visit) => (await roomOf(visit, 'Mail', `/mail?connector=${connector}`), see(visit.text('Your invoice of May'), 'the mail')) },
    {
      name: 'mail-folders',
      who: 'admin',
      show: async (visit) => {
        await visit.go(`/mail?connector=${other}`);
        await see(visit.text('Minutes of the board'), 'the mail');
        await visit.page.getByLabel('Place').selectOption({ label: 'Invoices' });
        await see(visit.text('Your invoice of March'), 'the mail in the folder');
      },
    },
    {
      name: 'mail',
      who: 'admin',
      show: async (visit) => {
        await visit.go(`/mail/messages/${message}?connector=${connector}`);
        await visit.page.frameLocator('iframe').getByText('Subscription, May').waitFor();
      },
    },
    {
      name: 'reply',
      who: 'admin',
      show: async (visit) => {
        await visit.go(`/mail/messages/${message}?connector=${connector}`);
        await visit.link('Reply').click();
        await visit.page.getByLabel('Text').fill('Thank you, I will look at it.');
      },
    },
    { name: 'system', who: 'admin', show: async (visit) => (await visit.go('/system'), see(visit.text('Every part answers.').or(visit.text('It works')), 'the health')) },
    { name: 'forbidden', who: 'viewer', show: async (visit) => (await visit.go('/mail'), see(visit.text('Your role does not allow this'), 'that it is not allowed')) },
    { name: 'firings-viewer', who: 'viewer', show: async (visit) => (await visit.go('/firings'), see(visit.text('ids and times'), 'what a viewer sees')) },
  ];
}

/** Goes to a room: until it is there, the page shows the one before, which may have the same texts. */
async function roomOf(visit: Visit, room: string, path: string): Promise<void> {
  await visit.go(path);
  await see(visit.page.getByRole('heading', { name: room, level: 1, exact: true }), 'the room');
}

/** Nothing loads any more, nor what only an ellipsis stands for. */
const settled = (visit: Visit) =>
  visit.page.waitForFunction(() => !document.querySelector('[aria-busy=true], [role=status] [aria-hidden]') && !/^…$/m.test(document.body.innerText));

/** Shows each view to who may see it: one window for each person. */
export async function eachView(all: View[], { sub, newcomer }: Scene, window: () => Promise<Visit>, look: (view: View, visit: Visit) => Promise<void>): Promise<void> {
  for (const who of new Set(all.map((view) => view.who))) {
    const visit = await window();
    if (who === 'newcomer') await visit.signIn(newcomer, 'admin');
    else if (who !== 'nobody') await visit.signIn(sub, who);
    for (const view of all.filter((each) => each.who === who)) {
      await view.show(visit);
      await settled(visit);
      await look(view, visit);
    }
  }
}

