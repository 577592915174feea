import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiProblem, ApiUnreachable, collect, poll } from '../src/index.js';
import { problem, world } from './world.js';

const LIST = { connectors: [] };
const broken = new TypeError('fetch failed');

test('a problem document becomes an ApiProblem with all that it says', async () => {
  const more = { field: 'config', scope: 'https://mail.google.com/', unread_ids: ['a', 7, 'b'] };
  const { client } = world([
    problem(403, 'insufficient_scope', more, { 'retry-after': '17', 'apigw-requestid': 'R=' }),
  ]);
  const thrown = await client.connectors.list().catch((error: unknown) => error);
  assert.ok(thrown instanceof ApiProblem && thrown instanceof Error);
  assert.ok(thrown.is('needs_reauth', 'insufficient_scope') && !thrown.is('needs_reauth'));
  const { status, code, detail, message, title, field, scope, unreadIds, retryAfter, requestId } = thrown;
  assert.deepEqual(
    { status, code, detail, message, title, field, scope, unreadIds, retryAfter, requestId },
    {
      status: 403,
      code: 'insufficient_scope',
      detail: 'because of insufficient_scope',
      message: 'because of insufficient_scope',
      title: 'T',
      field: 'config',
      scope: 'https://mail.google.com/',
      unreadIds: ['a', 'b'],
      retryAfter: 17,
      requestId: 'R=',
    },
  );
});

test('an answer that is no problem document is a problem all the same', async () => {
  const table: [string, string, string][] = [
    ['{"message":"Internal Server Error"}', 'unknown', 'Internal Server Error'],
    ['<html>', 'unknown', 'the API answered 500'],
    ['', 'unknown', 'the API answered 500'],
    ['null', 'unknown', 'the API answered 500'],
    ['[1]', 'unknown', 'the API answered 500'],
    ['{"code":7,"detail":{"a":1},"unread_ids":"x"}', 'unknown', 'the API answered 500'],
    ['{"code":"internal_error"}', 'internal_error', 'the API answered 500'],
  ];
  for (const [text, code, message] of table) {
    const { client } = world([{ status: 500, text }]);
    await assert.rejects(client.me(), { name: 'ApiProblem', status: 500, code, message }, text);
  }
});

test('reads are repeated when that can help, writes never', async () => {
  const soon = { 'retry-after': '0' };
  const table: [string, Parameters<typeof world>[0], 'read' | 'write', number, string | null][] = [
    ['503 with Retry-After', [problem(503, 'unavailable', {}, soon), { json: LIST }], 'read', 2, null],
    ['503 thrice', [1, 2, 3].map(() => problem(503, 'unavailable', {}, soon)), 'read', 3, 'ApiProblem'],
    ['503 without Retry-After', [{ status: 503 }, { json: LIST }], 'read', 2, null],
    [
      'a Retry-After that is too long',
      [problem(503, 'circuit_open', {}, { 'retry-after': '60' })],
      'read',
      1,
      'ApiProblem',
    ],
    ['429 with Retry-After', [problem(429, 'rate_limited', {}, soon), { json: LIST }], 'read', 2, null],
    ['429 without', [problem(429, 'rate_limited')], 'read', 1, 'ApiProblem'],
    ['502 and 504 of the gateway', [{ status: 502 }, { status: 504 }, { json: LIST }], 'read', 3, null],
    ['500', [problem(500, 'internal_error')], 'read', 1, 'ApiProblem'],
    ['404', [problem(404, 'not_found')], 'read', 1, 'ApiProblem'],
    ['no connection, once', [{ error: broken }, { json: LIST }], 'read', 2, null],
    ['no connection', [{ error: broken }, { error: broken }, { error: broken }], 'read', 3, 'ApiUnreachable'],
    ['a write that is unavailable', [problem(503, 'unavailable', {}, soon)], 'write', 1, 'ApiProblem'],
    ['a write without a connection', [{ error: broken }], 'write', 1, 'ApiUnreachable'],
  ];
  for (const [what, script, kind, sent, thrown] of table) {
    const { client, asked, left } = world(script, { longestPause: 5 });
    const call = kind === 'read' ? client.connectors.list() : client.connectors.sync('con_1');
    if (thrown === null) await call;
    else await assert.rejects(call, { name: thrown }, what);
    assert.deepEqual([asked.length, left.length], [sent, 0], what);
  }
});

test("how often is the caller's to say", async () => {
  const { client, asked } = world([{ status: 503 }], { attempts: 1 });
  await assert.rejects(client.me());
  assert.equal(asked.length, 1);
});

test('a 401 asks the user once, for all who wait, and sends again', async () => {
  let [token, asked] = ['old', 0];
  const refused = problem(401, 'unauthorized');
  const { client, asked: sent } = world(
    [refused, refused, { json: LIST }, { status: 202, json: { status: 'queued' } }],
    {
      token: () => token,
      unauthorized: async (why) => {
        assert.equal(why.code, 'unauthorized');
        asked += 1;
        await new Promise((resolve) => setImmediate(resolve));
        token = 'new';
        return true;
      },
    },
  );
  await Promise.all([client.connectors.list(), client.connectors.sync('con_1')]);
  assert.equal(asked, 1);
  assert.deepEqual(
    sent.map(({ headers }) => headers.get('authorization')),
    ['Bearer old', 'Bearer old', 'Bearer new', 'Bearer new'],
  );
});

test('a 401 that stays is a problem, and so is one that nobody answers', async () => {
  for (const [script, unauthorized, sent] of [
    [2, async () => true, 2],
    [1, async () => false, 1],
    [1, undefined, 1],
  ] as const) {
    const answers = Array.from({ length: script }, () => problem(401, 'unauthorized'));
    const { client, asked } = world(answers, unauthorized && { unauthorized });
    await assert.rejects(client.me(), { status: 401 });
    assert.equal(asked.length, sent);
  }
});

test('an answer that did not change is the same object again', async () => {
  const etag = { etag: '"1"' };
  const changed = { connectors: [], next_page_token: 'p' };
  const { client, asked } = world([
    { json: LIST, headers: etag },
    { status: 304, headers: etag },
    { json: changed, headers: { etag: '"2"' } },
    { status: 304, headers: etag },
    { json: LIST, headers: etag },
    { json: LIST },
    { json: LIST },
  ]);
  const [first, second, third, fourth] = [
    await client.connectors.list(),
    await client.connectors.list(),
    await client.connectors.list(),
    await client.connectors.list(),
  ];
  assert.ok(first === second && second !== third && third === fourth);
  assert.deepEqual(third, changed);
  await client.connectors.list({ page_size: 7 });
  client.forget();
  await client.connectors.list();
  await client.connectors.list();
  const tags = asked.map(({ headers }) => headers.get('if-none-match'));
  assert.deepEqual(tags, [null, '"1"', '"1"', '"2"', null, null, null]);
});

test('what is remembered has a bound', async () => {
  const script = Array.from({ length: 202 }, () => ({ json: {}, headers: { etag: '"x"' } }));
  const { client, asked } = world(script);
  for (let at = 0; at < 201; at += 1) await client.connectors.get(`con_${at}`);
  await client.connectors.get('con_0');
  assert.equal(asked.at(-1)?.headers.get('if-none-match'), null);
});

test('pages are read as they are iterated', async () => {
  const { client, asked, left } = world([
    { json: { connectors: [{ id: 'a' }, { id: 'b' }], next_page_token: 'p 1' } },
    { json: { connectors: [], next_page_token: 'p2' } },
    { json: { connectors: [{ id: 'c' }], next_page_token: null } },
  ]);
  const ids: string[] = [];
  for await (const { id } of client.connectors.all()) {
    ids.push(id);
    if (id === 'a') assert.equal(asked.length, 1);
  }
  assert.deepEqual([ids, left.length], [['a', 'b', 'c'], 0]);
  assert.deepEqual(
    asked.map(({ url }) => new URL(url).searchParams.get('page_token')),
    [null, 'p 1', 'p2'],
  );
});

test('collect stops where it is told to', async () => {
  const { client, asked } = world([{ json: { triggers: [{ id: 'a' }, { id: 'b' }], next_page_token: 'p' } }]);
  assert.deepEqual(
    (await collect(client.triggers.all(), 2)).map(({ id }) => id),
    ['a', 'b'],
  );
  assert.deepEqual(await collect(client.triggers.all(), 0), []);
  assert.equal(asked.length, 1);
});

test('pages of messages keep their query and their failed ids', async () => {
  const { client, asked } = world([
    { json: { messages: [], failed_ids: ['x'], next_page_token: 'p', result_size_estimate: 2 } },
    { json: { messages: [], result_size_estimate: 2 } },
  ]);
  const pages = await collect(client.messages.pages('con_1', { query: 'a', format: 'ids' }));
  assert.deepEqual(
    pages.map((page) => page.failed_ids),
    [['x'], undefined],
  );
  assert.equal(new URL(asked[1]!.url).search, '?query=a&format=ids&page_token=p');
});

test("what the caller aborts is thrown as the caller's reason, also during a pause", async () => {
  const before = world([]);
  await assert.rejects(before.client.me({ signal: AbortSignal.abort(new Error('gone')) }), { message: 'gone' });
  const during = world([{ status: 503 }], { longestPause: 1_000_000, attempts: 9 });
  const controller = new AbortController();
  const call = during.client.me({ signal: controller.signal });
  setImmediate(() => controller.abort(new Error('left')));
  await assert.rejects(call, { message: 'left' });
});

test('an answer that does not come in time, or breaks off, is unreachable', async () => {
  const never =
    () =>
    (_: unknown, { signal }: RequestInit = {}) =>
      new Promise<Response>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  const late = world([], { fetch: never() as typeof fetch, timeout: 5, attempts: 1 });
  // A timer of AbortSignal does not keep the process alive.
  const alive = setTimeout(() => undefined, 5_000);
  await assert.rejects(late.client.me(), (error) => error instanceof ApiUnreachable && /in time/.test(error.message));
  clearTimeout(alive);
  const cut = async () =>
    new Response(new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) }));
  await assert.rejects(
    world([], { fetch: cut }).client.me(),
    (error) => error instanceof ApiUnreachable && /broke off/.test(error.message),
  );
});

test('an answer that is not JSON is a problem', async () => {
  const { client } = world([{ text: '<html>' }]);
  await assert.rejects(client.me(), { name: 'ApiProblem', message: 'the answer is not JSON' });
});

test('each answer is told, with its cost', async () => {
  const told: unknown[] = [];
  const headers = { 'x-quota-units': '25', 'apigw-requestid': 'R=' };
  const { client } = world([{ status: 503 }, { json: {}, headers }], {
    longestPause: 1,
    answered: ({ operation, status, quotaUnits, requestId }) => told.push([operation, status, quotaUnits, requestId]),
  });
  await client.messages.list('con_1');
  assert.deepEqual(told, [
    ['messages_list', 503, undefined, undefined],
    ['messages_list', 200, 25, 'R='],
  ]);
});

test('polling yields what differs, goes on past what passes, and ends with its signal', async () => {
  const etag = { etag: '"1"' };
  const { client, left } = world(
    [
      { json: { firings: [{ event_id: '1' }] }, headers: etag },
      { status: 304 },
      problem(503, 'unavailable'),
      { error: broken },
      { status: 304 },
      { json: { firings: [{ event_id: '2' }] } },
    ],
    { attempts: 1 },
  );
  const [controller, seen, failures] = [new AbortController(), [] as unknown[], [] as string[]];
  const options = {
    every: 1,
    longest: 2,
    signal: controller.signal,
    failed: ({ name }: Error) => failures.push(name),
  };
  for await (const { firings } of poll((signal) => client.firings.list('trg_1', {}, { signal }), options)) {
    seen.push(firings[0]?.event_id);
    if (seen.length === 2) controller.abort();
  }
  assert.deepEqual([seen, failures, left.length], [['1', '2'], ['ApiProblem', 'ApiUnreachable'], 0]);
});

test('polling throws what does not pass', async () => {
  const { client } = world([problem(404, 'not_found')]);
  await assert.rejects(collect(poll(() => client.firings.list('trg_1'), { every: 1 })), { code: 'not_found' });
});
