// A session that ends in the middle of a form; an API that is slow or fails.

import assert from 'node:assert/strict';
import { chooseUser, row, see } from './page.js';
import { api, connected, google, person } from './stack.js';
import { story } from './story.js';

/** Shorter than what the page wants a token to last still, so that it must renew it soon. */
const SHORT_SECONDS = 24;

story('a session ends in the middle of a form, and nothing that was typed is lost', 'whole', async ({ visit, step }) => {
  const { page } = visit;
  const { sub, mailbox } = person('session');
  const connector = await connected(sub, mailbox());
  await google.signIn({ expires_in: SHORT_SECONDS });
  try {
    await visit.signIn(sub, 'admin', `/triggers/new?connector=${connector}`);
    const filter = page.getByLabel(/^Subject contains, 1 of/);
    await filter.fill('a long sentence that nobody wants to type again');
    await google.signIn({ expires_in: 3600, end_sessions: true });
    await step('the page says so', () => see(visit.heading('Your session ended'), 'that the session ended'));
    await step('sign in again, in a small window', async () => {
      const window = await visit.opened(() => visit.button('Sign in again').click());
      await chooseUser(window, sub, 'admin');
      await visit.heading('Your session ended').waitFor({ state: 'detached' });
    });
    assert.equal(await filter.inputValue(), 'a long sentence that nobody wants to type again');
    await step('the form goes on', async () => {
      await visit.button('Make the trigger').click();
      await see(visit.text('The trigger is made'), 'that it is made');
    });
  } finally {
    await google.signIn({ expires_in: 3600 });
  }
  const { triggers } = await (await api(sub))('GET', '/api/triggers');
  assert.equal(triggers.length, 1);
});

story('a reload keeps the person signed in and the view, and a sign-out ends it', 'whole', async ({ visit, step }) => {
  const { page } = visit;
  const { sub } = person('reload');
  await visit.signIn(sub);
  await visit.link('System').click();
  await see(visit.heading('System'), 'the room');
  await step('reload', async () => {
    await page.reload();
    await see(visit.heading('System'), 'the same room');
  });
  await step('sign out', async () => {
    await visit.button('Sign out').click();
    await see(visit.button('Sign in'), 'the way to sign in');
  });
  await step('nobody is signed in any more', async () => {
    await visit.open('/system');
    await see(visit.button('Sign in'), 'the way to sign in');
  });
});

story('an API that fails says so, by code and request, and goes on when it can', 'whole', async ({ visit, step }) => {
  const { page } = visit;
  const { sub, mailbox } = person('failing');
  await connected(sub, mailbox());
  const problem = (status: number, code: string, headers: Record<string, string> = {}) => ({
    status,
    contentType: 'application/problem+json',
    headers: { 'apigw-requestid': 'Request7=', ...headers },
    body: JSON.stringify({ type: 'about:blank', title: 'T', status, code, detail: `the cause of ${code}` }),
  });
  const LIST = /\/api\/connectors(\?.*)?$/;

  await step('503 with Retry-After: the page waits and goes on by itself', async () => {
    let failures = 2;
    await page.route(LIST, (route) => (failures-- > 0 ? route.fulfill(problem(503, 'unavailable', { 'retry-after': '1' })) : route.continue()));
    await visit.signIn(sub);
    await see(row(page, mailbox()), 'the connector');
    assert.ok(failures <= 0);
    await page.unroute(LIST);
  });
  await step('500: the sentence, the code, the request, and a way on', async () => {
    await page.route(LIST, (route) => route.fulfill(problem(500, 'internal_error')));
    await page.reload();
    await see(visit.text('internal_error'), 'the code');
    await see(visit.text('Request7='), 'the request id');
    await page.unroute(LIST);
    await visit.button('Try again').first().click();
    await see(row(page, mailbox()), 'the connector');
  });
  await step('no answer: the page says so, and shows what it has', async () => {
    await page.route(LIST, (route) => route.abort('timedout'));
    await see(visit.text('The API does not answer'), 'that it does not answer');
    await see(row(page, mailbox()), 'what was known before');
    await page.unroute(LIST);
    await see(row(page, mailbox()), 'the connector');
  });
  await step('slow: the page says that it is loading', async () => {
    let answer = () => {};
    const later = new Promise<void>((resolve) => (answer = resolve));
    await page.route(LIST, async (route) => {
      await later;
      await route.continue();
    });
    await page.reload();
    await see(page.getByRole('status').filter({ hasText: /Loading/ }), 'that it is loading');
    answer();
    await see(row(page, mailbox()), 'the connector');
    await page.unroute(LIST);
  });
});
