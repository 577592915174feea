// The API's routes that the console asks, answered from memory. Routes of further rooms are added to `routes`.
import type { Connector, Me } from 'email-connectors-client';
import { rooms } from './rooms.ts';
import { connector, MAY, World } from './world.ts';

export type Call = { request: Request; path: string[]; query: URLSearchParams; body: Record<string, unknown>; role: string };
type Handler = (call: Call) => unknown;

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail);
  }
}

export const world = new World();
let states = 0;
const waiting = new Map<string, string>();

function found(id: string | undefined) {
  const one = world.connectors.find((each) => each.id === id);
  if (!one) throw new Refused(404, 'not_found', 'there is no such connector');
  return one;
}

export const routes: [method: string, path: RegExp, handler: Handler][] = [
  ['GET', /^\/api\/me$/, ({ role }): Me => ({ owner_id: 'user-17', role: role as Me['role'], may: MAY[role]! })],
  [
    'GET',
    /^\/api\/system\/info$/,
    () => ({
      name: 'email-connectors',
      version: '1.0.0',
      app_public_url: 'https://app.example.com',
      callback_url: 'https://app.example.com/auth/google/callback',
      connector_types: ['email'],
      providers: [
        { id: 'gmail', name: 'Gmail', type: 'email', start: '/api/auth/google/gmail/start', connect: '/api/auth/google/gmail' },
        {
          id: 'outlook',
          name: 'Outlook',
          type: 'email',
          start: '/api/auth/microsoft/outlook/start',
          connect: '/api/auth/microsoft/outlook',
          admin_consent: '/api/auth/microsoft/outlook/admin-consent',
        },
      ],
    }),
  ],
  [
    'GET',
    /^\/api\/system\/health$/,
    () => ({
      status: 'degraded',
      checked_at: new Date().toISOString(),
      checks: [
        { name: 'table', status: 'healthy', detail: 'it answers', remedy: null },
        { name: 'keys', status: 'healthy', detail: 'there are keys that verify tokens', remedy: null },
        { name: 'queue', status: 'healthy', detail: 'few wake-ups wait', remedy: null },
        { name: 'dead_letters', status: 'degraded', detail: 'wake-ups were given up', remedy: 'See docs/operations.md#dead-letters: read why, mend it, then redrive them.' },
        { name: 'quarantine', status: 'healthy', detail: 'no unreadable message', remedy: null },
      ],
    }),
  ],
  ['GET', /^\/api\/connectors$/, () => ({ connectors: world.connectors })],
  ['GET', /^\/api\/connectors\/([^/]+)$/, ({ path }) => found(path[0])],
  ['GET', /^\/api\/connectors\/([^/]+)\/health$/, ({ path }) => world.healthOf(found(path[0]))],
  [
    'PATCH',
    /^\/api\/connectors\/([^/]+)$/,
    ({ path, body }) => {
      if (typeof body['label'] === 'string' && body['label'].length > 100) {
        throw new Refused(400, 'invalid_connector', 'label must be 1 to 100 printable characters', { field: 'label' });
      }
      return Object.assign(found(path[0]), body, { updated_at: new Date().toISOString() });
    },
  ],
  ['POST', /^\/api\/connectors\/([^/]+)\/sync$/, ({ path }) => (found(path[0]), { status: 'queued' })],
  [
    'DELETE',
    /^\/api\/connectors\/([^/]+)$/,
    ({ path }) => {
      const gone = found(path[0]);
      world.connectors = world.connectors.filter((each) => each !== gone);
      return { watch_stopped: true, grant_revoked: true, data_purged: true };
    },
  ],
  [
    'GET',
    /^\/api\/auth\/(google|microsoft)\/\w+\/start$/,
    ({ query, request, path }) => {
      const state = `state-${++states}`;
      waiting.set(state, query.get('callback_url') ?? '');
      const url = new URL(`/mock-${path[0]}`, request.url);
      url.search = new URLSearchParams({ state, redirect_uri: query.get('callback_url') ?? '', login_hint: query.get('login_hint') ?? '' }).toString();
      return { authorization_url: url.href, state };
    },
  ],
  ['POST', /^\/api\/auth\/(?:google|microsoft)\/(\w+)$/, connect],
  [
    'GET',
    /^\/api\/auth\/microsoft\/outlook\/admin-consent$/,
    ({ query, request }) => {
      const url = new URL('/mock-administrator', request.url);
      url.search = new URLSearchParams({ state: 'admin-consent', redirect_uri: query.get('callback_url') ?? '' }).toString();
      return { admin_consent_url: url.href };
    },
  ],
  [
    'GET',
    /^\/api\/connect-sessions\/current$/,
    ({ request }) => {
      if (!request.headers.get('authorization')?.startsWith('Bearer cst_')) throw new Refused(401, 'unauthorized', 'the token is not valid here');
      // Another origin than the page's, as a product's is.
      const origin = new URL(request.url).origin.replace('127.0.0.1', 'localhost');
      return { origin, provider: null, connector: null, expires_at: new Date(Date.now() + 9e5).toISOString(), done: false };
    },
  ],
];

function connect({ body, path }: Call): unknown {
  const [state, code] = [String(body['state']), String(body['auth_code'])];
  if (!waiting.has(state)) throw new Refused(400, 'unknown_state', 'the state is over ten minutes old, or was used', { field: 'state' });
  if (code === 'busy') throw new Refused(503, 'google_unavailable', 'Google does not answer', { retryAfter: 5 });
  waiting.delete(state);
  if (code === 'unticked') throw new Refused(400, 'missing_scopes', 'the user did not grant: gmail.modify', { field: 'scope' });
  if (code === 'other' && body['replace'] !== true) throw new Refused(409, 'account_mismatch', 'another Google account is connected already');
  const address = code === 'other' ? 'other@example.com' : code;
  const known = world.connectors.find((each) => each.email_address === address);
  const one = known ?? connector(`con_${Math.random().toString(16).slice(2)}`, address, { provider: path[0] as Connector['provider'], last_event_at: null });
  if (known) Object.assign(known, { status: 'active', last_error: null });
  else world.connectors.push(one);
  return { status: 'connected', connector_id: one.id, email_address: one.email_address, watch: { status: 'active' } };
}

/** Null where no route has the path. */
export async function answer(request: Request): Promise<Response | null> {
  const { pathname, searchParams } = new URL(request.url);
  if (!pathname.startsWith('/api/')) return null;
  const token = request.headers.get('authorization')?.slice('Bearer '.length) ?? '';
  const role = roleIn(token);
  const text = await request.text();
  for (const [method, form, handler] of [...routes, ...rooms]) {
    const match = form.exec(pathname);
    if (!match || method !== request.method) continue;
    const path = match.slice(1).map(decodeURIComponent);
    try {
      const done = await handler({ request, path, query: searchParams, role, body: isJson(request) && text ? (JSON.parse(text) as Record<string, unknown>) : {} });
      return done instanceof Response ? done : json(200, done, request);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return problem(error);
    }
  }
  return problem(new Refused(404, 'not_found', 'nothing can have this path'));
}

/** An uploaded file is none. */
const isJson = (request: Request) => request.headers.get('content-type')?.includes('json') ?? false;

function roleIn(token: string): string {
  try {
    return (JSON.parse(atob(token.split('.')[1]!)) as { role: string }).role;
  } catch {
    return 'admin';
  }
}

function json(status: number, body: unknown, request: Request): Response {
  const text = JSON.stringify(body);
  let hash = 0;
  for (const sign of text) hash = (hash * 31 + sign.codePointAt(0)!) | 0;
  const etag = `"${hash.toString(36)}"`;
  if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: { etag } });
  return new Response(text, { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store', etag } });
}

function problem({ status, code, message, more }: Refused): Response {
  const { retryAfter, ...rest } = more;
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'apigw-requestid': 'Xk2dEvYoI0EMbDQ=' };
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter);
  return new Response(JSON.stringify({ type: 'about:blank', title: '', status, code, detail: message, ...rest }), { status, headers });
}
