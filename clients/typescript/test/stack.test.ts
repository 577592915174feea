// The client against the deployed local stack.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ApiProblem, collect, createClient, poll, sign } from '../src/index.js';
import { sent, signedIn, skipped, stack } from './stack.js';

const root = new URL('../../', import.meta.url);
const own = `client-${process.pid}-${Date.now()}`;

test('openapi.json is what the stack serves', { skip: skipped }, async () => {
  const served = await (await fetch(`${stack!.api_url}/api/openapi.json`)).json();
  const committed = JSON.parse(readFileSync(new URL('openapi.json', root), 'utf8'));
  const lines = (description: object) => JSON.stringify(description, null, 1).split('\n');
  const [ours, theirs] = [lines(committed), lines(served)];
  const at = theirs.findIndex((line, place) => line !== ours[place]);
  const remedy = 'npm run generate -- --from $API_URL/api/openapi.json';
  assert.ok(at < 0 && ours.length === theirs.length, `from line ${at}, ${ours[at]} is ${theirs[at]}: ${remedy}`);
});

test('a mailbox is connected, a trigger is made, and what it fires is seen', { skip: skipped }, async () => {
  const { google_url } = stack!;
  const { client } = await signedIn(stack!, own);
  const email = `${own}@example.com`;
  await sent('POST', `${google_url}/admin/mailboxes`, { email });

  const { owner_id, may } = await client.me();
  assert.ok(owner_id.includes(own) && may.includes('connect'));
  const { providers } = await client.system.info();
  const provider = providers[0];
  assert.ok(provider);
  assert.match((await client.consent.start(provider)).authorization_url, /^http/);
  const { code } = await sent('POST', `${google_url}/admin/codes`, { email });
  const { connector_id } = await client.consent.finish(provider, { auth_code: code });
  assert.deepEqual(
    (await collect(client.connectors.all())).map(({ id }) => id),
    [connector_id],
  );
  assert.equal((await client.connectors.update(connector_id, { label: 'Tried' })).label, 'Tried');
  assert.equal((await client.connectors.health(connector_id)).id, connector_id);

  const config = { connector_id, filters: { subject_contains: ['invoice'] } };
  const trigger = await client.triggers.create({ type: 'email', agent_id: 'agent', config });
  const mail = { from: 'Bo <bo@shop.example>', subject: 'Your invoice', text: 'Here it is.' };
  const { id } = await sent('POST', `${google_url}/admin/mailboxes/${email}/messages`, mail);
  const signal = AbortSignal.timeout(60_000);
  for await (const { firings } of poll(() => client.firings.list(trigger.id), { every: 100, longest: 500, signal })) {
    const detail = firings[0]?.detail;
    if (!detail) continue;
    assert.ok('message' in detail && detail.message.id === id && detail.trigger.type === 'email');
    break;
  }
  assert.ok(!signal.aborted, 'nothing fired');

  const { would_fire, looked_at } = await client.triggers.test(trigger.id, { days: 1 });
  assert.deepEqual([would_fire.length, looked_at], [0, 1], 'what fired is already decided');
  const message = await client.messages.get(connector_id, id);
  assert.equal(message.body?.text?.trim(), 'Here it is.');
  const labels = await collect(client.labels.all(connector_id));
  assert.ok(labels.some((label) => label.id === 'INBOX'));
  assert.equal((await client.connectors.remove(connector_id)).data_purged, true);
});

test('a webhook trigger is fired by its signature, once', { skip: skipped }, async () => {
  const { client } = await signedIn(stack!, `${own}-hook`);
  const email = `${own}-hook@example.com`;
  await sent('POST', `${stack!.google_url}/admin/mailboxes`, { email });
  const [provider] = (await client.system.info()).providers;
  const { code } = await sent('POST', `${stack!.google_url}/admin/codes`, { email });
  const { connector_id } = await client.consent.finish(provider!, { auth_code: code });
  const { id, secret } = await client.triggers.create({ type: 'webhook', config: { connector_id } });
  const sender = createClient({ baseUrl: stack!.api_url });
  assert.match((await sender.triggers.fireSigned(id, secret!, { event_type: 'order.paid' })).event_id, /^evt_/);
  await assert.rejects(sender.triggers.fireSigned(id, 'another', {}), { status: 401, code: 'unauthorized' });
  assert.match(await sign(secret!, '{}'), /^t=\d+,v1=[0-9a-f]{64}$/);
  await client.connectors.remove(connector_id);
});

test('what the stack refuses is a problem with its code and its request id', { skip: skipped }, async () => {
  const { client } = await signedIn(stack!, own);
  const stranger = createClient({ baseUrl: stack!.api_url });
  const table: [() => Promise<unknown>, number, string][] = [
    [() => client.connectors.get('con_unknown'), 404, 'not_found'],
    [() => client.connectors.list({ page_token: 'x' }), 400, 'invalid_page_token'],
    [() => stranger.connectors.list(), 401, 'unauthorized'],
    [() => client.triggers.create({ type: 'email', config: { connector_id: 'con_x' } }), 404, 'not_found'],
  ];
  for (const [call, status, code] of table) {
    const thrown = await call().catch((error: unknown) => error);
    assert.ok(thrown instanceof ApiProblem, String(thrown));
    assert.deepEqual([thrown.status, thrown.code, typeof thrown.requestId], [status, code, 'string']);
  }
});
