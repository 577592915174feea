import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, PROBLEM_CODES } from '../src/index.js';
import { routes } from '../src/generated/routes.js';
import { world } from './world.js';

const gmail = { start: '/api/auth/google/gmail/start', connect: '/api/auth/google/gmail' };

/** What is called, and what is sent: method, path below the base, body. */
const CALLS: [(client: Client) => Promise<unknown>, string, unknown?][] = [
  [(c) => c.me(), 'GET /api/me'],
  [(c) => c.system.info(), 'GET /api/system/info'],
  [(c) => c.owner.export({ page_token: 'p' }), 'GET /api/owner/data?page_token=p'],
  [(c) => c.owner.erase(), 'DELETE /api/owner/data'],
  [
    (c) => c.consent.start(gmail, { login_hint: 'ada+x@example.com' }),
    'GET /api/auth/google/gmail/start?login_hint=ada%2Bx%40example.com',
  ],
  [(c) => c.consent.start({ ...gmail, start: '/api/auth/other/start' }), 'GET /api/auth/other/start'],
  [(c) => c.consent.finish(gmail, { auth_code: '4/x' }), 'POST /api/auth/google/gmail', { auth_code: '4/x' }],
  [
    (c) => c.connectSessions.open({ origin: 'https://app.example.com' }),
    'POST /api/connect-sessions',
    { origin: 'https://app.example.com' },
  ],
  [(c) => c.connectSessions.current(), 'GET /api/connect-sessions/current'],
  [(c) => c.connectors.list({ page_size: 5 }), 'GET /api/connectors?page_size=5'],
  [(c) => c.connectors.get('con_1'), 'GET /api/connectors/con_1'],
  [(c) => c.connectors.health('con_1'), 'GET /api/connectors/con_1/health'],
  [(c) => c.connectors.update('con_1', { paused: true }), 'PATCH /api/connectors/con_1', { paused: true }],
  [(c) => c.connectors.sync('con_1'), 'POST /api/connectors/con_1/sync'],
  [(c) => c.connectors.remove('con_1'), 'DELETE /api/connectors/con_1'],
  [(c) => c.triggers.list(), 'GET /api/triggers'],
  [(c) => c.triggers.get('trg_1'), 'GET /api/triggers/trg_1'],
  [
    (c) => c.triggers.create({ type: 'email', config: { connector_id: 'con_1', filters: { automatic: false } } }),
    'POST /api/triggers',
    { type: 'email', config: { connector_id: 'con_1', filters: { automatic: false } } },
  ],
  [(c) => c.triggers.update('trg_1', { agent_id: null }), 'PATCH /api/triggers/trg_1', { agent_id: null }],
  [(c) => c.triggers.remove('trg_1'), 'DELETE /api/triggers/trg_1'],
  [(c) => c.triggers.test('trg_1'), 'POST /api/triggers/trg_1/test', {}],
  [
    (c) => c.connectors.rehearse('con_1', { filters: { query: 'invoice' }, days: 3 }),
    'POST /api/connectors/con_1/rehearsals',
    { config: { filters: { query: 'invoice' } }, days: 3 },
  ],
  [(c) => c.triggers.rotateSecret('trg_1'), 'POST /api/triggers/trg_1/secret'],
  [
    (c) => c.triggers.fire('trg_1', { sum: 12 }, { idempotencyKey: 'k' }),
    'POST /api/triggers/trg_1/events',
    { sum: 12 },
  ],
  [(c) => c.triggers.fireSigned('trg_1', 'secret', { sum: 12 }), 'POST /api/triggers/trg_1/events', { sum: 12 }],
  [(c) => c.firings.list('trg_1', { page_size: 1 }), 'GET /api/triggers/trg_1/firings?page_size=1'],
  [
    (c) => c.messages.list('con_1', { query: 'is:unread', label_ids: ['INBOX', 'Label_7'], format: 'full' }),
    'GET /api/connectors/con_1/messages?query=is%3Aunread&label_ids=INBOX%2CLabel_7&format=full',
  ],
  [
    (c) => c.messages.get('con_1', '19b0', { format: 'metadata' }),
    'GET /api/connectors/con_1/messages/19b0?format=metadata',
  ],
  [
    (c) => c.messages.send('con_1', { to: ['bo@example.com'], text: 'Hi' }),
    'POST /api/connectors/con_1/messages',
    { to: ['bo@example.com'], text: 'Hi' },
  ],
  [
    (c) => c.messages.modify('con_1', '19b0', { add_label_ids: ['STARRED'] }),
    'POST /api/connectors/con_1/messages/19b0/modify',
    { add_label_ids: ['STARRED'] },
  ],
  [(c) => c.messages.trash('con_1', '19b0'), 'POST /api/connectors/con_1/messages/19b0/trash'],
  [(c) => c.messages.untrash('con_1', '19b0'), 'POST /api/connectors/con_1/messages/19b0/untrash'],
  [
    (c) => c.messages.remove('con_1', '19b0', { permanent: true }),
    'DELETE /api/connectors/con_1/messages/19b0?permanent=true',
  ],
  [
    (c) => c.messages.batchModify('con_1', ['a'], { remove_label_ids: ['UNREAD'] }),
    'POST /api/connectors/con_1/messages/batch-modify',
    { ids: ['a'], remove_label_ids: ['UNREAD'] },
  ],
  [
    (c) => c.messages.batchRemove('con_1', ['a']),
    'POST /api/connectors/con_1/messages/batch-delete',
    { ids: ['a'], permanent: false },
  ],
  [(c) => c.threads.list('con_1', { query: 'x' }), 'GET /api/connectors/con_1/threads?query=x'],
  [(c) => c.threads.get('con_1', '19b0'), 'GET /api/connectors/con_1/threads/19b0'],
  [(c) => c.threads.modify('con_1', '19b0', {}), 'POST /api/connectors/con_1/threads/19b0/modify', {}],
  [(c) => c.threads.trash('con_1', '19b0'), 'POST /api/connectors/con_1/threads/19b0/trash'],
  [(c) => c.threads.untrash('con_1', '19b0'), 'POST /api/connectors/con_1/threads/19b0/untrash'],
  [(c) => c.threads.remove('con_1', '19b0'), 'DELETE /api/connectors/con_1/threads/19b0'],
  [(c) => c.labels.list('con_1'), 'GET /api/connectors/con_1/labels'],
  [(c) => c.labels.get('con_1', 'Label_7'), 'GET /api/connectors/con_1/labels/Label_7'],
  [(c) => c.labels.create('con_1', { name: 'A/b' }), 'POST /api/connectors/con_1/labels', { name: 'A/b' }],
  [
    (c) => c.labels.update('con_1', 'Label_7', { name: 'c' }),
    'PATCH /api/connectors/con_1/labels/Label_7',
    { name: 'c' },
  ],
  [(c) => c.labels.remove('con_1', 'Label_7'), 'DELETE /api/connectors/con_1/labels/Label_7'],
  [(c) => c.drafts.list('con_1'), 'GET /api/connectors/con_1/drafts'],
  [(c) => c.drafts.get('con_1', 'r-7'), 'GET /api/connectors/con_1/drafts/r-7'],
  [(c) => c.drafts.create('con_1', { text: 'x' }), 'POST /api/connectors/con_1/drafts', { text: 'x' }],
  [(c) => c.drafts.replace('con_1', 'r-7', { text: 'x' }), 'PUT /api/connectors/con_1/drafts/r-7', { text: 'x' }],
  [
    (c) => c.drafts.update('con_1', 'r-7', { subject: '' }),
    'PATCH /api/connectors/con_1/drafts/r-7',
    { subject: '' },
  ],
  [(c) => c.drafts.send('con_1', 'r-7'), 'POST /api/connectors/con_1/drafts/r-7/send'],
  [(c) => c.drafts.remove('con_1', 'r-7'), 'DELETE /api/connectors/con_1/drafts/r-7'],
  [(c) => c.attachments.list('con_1', '19b0'), 'GET /api/connectors/con_1/messages/19b0/attachments'],
  [(c) => c.attachments.get('con_1', '19b0', '1.0.1'), 'GET /api/connectors/con_1/messages/19b0/attachments/1.0.1'],
  [(c) => c.attachments.link('con_1', '19b0', '2'), 'GET /api/connectors/con_1/messages/19b0/attachments/2/url'],
  [
    (c) => c.consent.forOrganization({ admin_consent: '/api/auth/other/admin-consent' }, { callback_url: 'https://a.example/x' }),
    'GET /api/auth/other/admin-consent?callback_url=https%3A%2F%2Fa.example%2Fx',
  ],
  [(c) => c.uploads.create('con_1', { size: 7 }), 'POST /api/connectors/con_1/uploads', { size: 7 }],
];

/** What only vendors and browsers call, and what has tests of its own. */
const ELSEWHERE = [
  'connect_callback',
  'connect_outlook_callback',
  'legacy_push',
  'notifications',
  'openapi',
  'push',
  'security_event',
  'system_health',
  // `connect_start` and `connect` with another provider's routes.
  'connect_outlook',
  'connect_outlook_start',
];

test('each call is the request that the description names', async () => {
  for (const [call, line, body] of CALLS) {
    const { client, asked } = world([{ json: {} }]);
    await call(client);
    const [{ method, url, headers, body: sent }] = asked as [(typeof asked)[0]];
    assert.equal(`${method} ${url.replace('https://api.example.com', '')}`, line);
    assert.deepEqual(sent, body, line);
    assert.equal(headers.get('authorization'), 'Bearer token');
    assert.equal(headers.get('content-type'), body === undefined ? null : 'application/json', line);
  }
});

test('every operation of the description can be called', async () => {
  const used = new Set<string>(ELSEWHERE);
  for (const [call] of CALLS) {
    const { client } = world([{ json: {} }], { answered: ({ operation }) => used.add(operation) });
    await call(client);
  }
  assert.deepEqual(
    Object.keys(routes).filter((operation) => !used.has(operation)),
    [],
  );
});

test("headers: the key of a write, the form's shield of a connect, the range of a download", async () => {
  const table: [(client: Client) => Promise<unknown>, string, string | null][] = [
    [(c) => c.messages.send('con_1', {}, { idempotencyKey: 'k' }), 'idempotency-key', 'k'],
    [(c) => c.messages.send('con_1', {}), 'idempotency-key', null],
    [(c) => c.drafts.create('con_1', {}, { idempotencyKey: 'k' }), 'idempotency-key', 'k'],
    [(c) => c.drafts.send('con_1', 'r', { idempotencyKey: 'k' }), 'idempotency-key', 'k'],
    [(c) => c.labels.create('con_1', { name: 'x' }, { idempotencyKey: 'k' }), 'idempotency-key', 'k'],
    [(c) => c.triggers.fire('trg_1', {}, { idempotencyKey: 'k' }), 'idempotency-key', 'k'],
    [(c) => c.consent.finish(gmail, { auth_code: 'x' }), 'x-requested-with', 'XMLHttpRequest'],
    [(c) => c.attachments.get('con_1', 'm', '1', { range: 'bytes=0-9' }), 'range', 'bytes=0-9'],
    [(c) => c.me(), 'x-own', '1'],
  ];
  for (const [call, name, value] of table) {
    const { client, asked } = world([{ json: {} }], { headers: { 'x-own': '1' } });
    await call(client);
    assert.equal(asked[0]?.headers.get(name), value, name);
  }
});

test('an id cannot lead to another route', async () => {
  const table: [string, string | null][] = [
    ['a/b', 'https://api.example.com/api/connectors/a%2Fb'],
    ['a?b#c', 'https://api.example.com/api/connectors/a%3Fb%23c'],
    ['%2e%2e', 'https://api.example.com/api/connectors/%252e%252e'],
    ['', null],
    ['.', null],
    ['..', null],
  ];
  for (const [id, url] of table) {
    const { client, asked } = world([{ json: {} }]);
    if (url === null) await assert.rejects(client.connectors.remove(id), TypeError, id);
    else await client.connectors.remove(id);
    assert.deepEqual(
      asked.map((one) => one.url),
      url === null ? [] : [url],
    );
  }
});

test('without a token none is sent', async () => {
  for (const token of [() => null, () => undefined, () => '', async () => null]) {
    const { client, asked } = world([{ json: {} }], { token });
    await client.system.info();
    assert.equal(asked[0]?.headers.has('authorization'), false);
  }
});

test('down is an answer of health, a problem is a problem', async () => {
  const down = { status: 'down', checked_at: '2026-01-01T00:00:00.000Z', checks: [] };
  const { client } = world([
    { status: 503, json: down },
    { status: 503, json: { message: 'Service Unavailable' } },
  ]);
  assert.equal((await client.system.health()).status, 'down');
  await assert.rejects(client.system.health(), {
    name: 'ApiProblem',
    status: 503,
    code: 'unknown',
    message: 'Service Unavailable',
  });
});

test('an attachment has the name that its header gives it', async () => {
  const table: [string | undefined, string][] = [
    ['attachment; filename="may.pdf"', 'may.pdf'],
    ['attachment; filename="a \\"b\\".pdf"', 'a "b".pdf'],
    ['attachment; filename=may.pdf; x=y', 'may.pdf'],
    ['attachment; filename="x"; filename*=UTF-8\'\'Rechnung%20%C3%BC.pdf', 'Rechnung ü.pdf'],
    ['attachment; filename="x.pdf"; filename*=UTF-8\'\'%E0%A4%A', 'x.pdf'],
    ['attachment', 'attachment'],
    [undefined, 'attachment'],
  ];
  for (const [header, name] of table) {
    const headers = {
      'content-type': 'application/pdf',
      ...(header && { 'content-disposition': header, 'content-range': 'bytes 0-3/9' }),
    };
    const { client } = world([{ status: 206, text: '%PDF', headers }]);
    const { blob, filename, range } = await client.attachments.get('con_1', 'm', '1');
    assert.deepEqual(
      [await blob.text(), blob.type, filename, range],
      ['%PDF', 'application/pdf', name, header && 'bytes 0-3/9'],
    );
  }
});

test('a file is put where the API says, and named by its upload id', async () => {
  const upload = {
    upload_id: 'u-1',
    method: 'PUT',
    url: 'https://files.example.com/x?sig',
    headers: { 'content-length': '5', 'x-amz-a': 'b' },
    expires_at: '',
  };
  const { client, asked } = world([{ status: 201, json: upload }, { status: 200 }]);
  assert.equal(await client.uploads.put('con_1', new Blob(['hello'])), 'u-1');
  assert.deepEqual(asked[0]?.body, { size: 5 });
  assert.deepEqual([asked[1]?.method, asked[1]?.url], ['PUT', 'https://files.example.com/x?sig']);
  assert.deepEqual([...(asked[1]?.headers ?? [])], [['x-amz-a', 'b']]);
});

test('the codes that the documents name are known', () => {
  for (const code of ['needs_reauth', 'missing_scopes', 'unavailable', 'outcome_unknown', 'role_not_allowed']) {
    assert.ok((PROBLEM_CODES as readonly string[]).includes(code), code);
  }
  assert.ok(!(PROBLEM_CODES as readonly string[]).includes('webhook'));
});
