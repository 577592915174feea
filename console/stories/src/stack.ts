// The running local stack that STACK_JSON names: its API, and the fake providers behind it.

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Stack {
  api_url: string;
  console_url: string;
  google_url: string;
  microsoft_url: string;
  mint_user_token: { method: string; url: string; body: object };
}

export type Role = 'admin' | 'operator' | 'viewer';

const file = process.env['STACK_JSON'];
if (!file) {
  console.error('STACK_JSON names no running local stack: make local-up, then STACK_JSON=.local/stack.json');
  process.exit(2);
}
export const stack = JSON.parse(readFileSync(file, 'utf8')) as Stack;
/** Without a slash at its end. */
export const CONSOLE = stack.console_url.replace(/\/$/, '');
/** Of the local stack's parameter AllowedOrigins. */
export const APP_ORIGIN = 'https://app.example.com';

/** Tells this run's owners and mailboxes from those of others on the same stack. Nothing depends on its value. */
const run = process.env['STORIES_RUN'] ?? Date.now().toString(36);

/** A person of one story: its own connectors and mailboxes. */
export function person(name: string) {
  const sub = `${name}-${run}`;
  return { sub, mailbox: (which = '') => `${[name, which].filter(Boolean).join('.')}.${run}@example.com` };
}

/** A mail as stories describe it. */
export interface NewMail {
  from?: string;
  to?: string;
  subject?: string;
  text?: string;
  html?: string;
  /** The whole mail as RFC 5322, in base64. */
  raw?: string;
  internal_date?: number;
  attachment?: { filename: string; mime_type: string; size: number };
  thread_id?: string;
  label_ids?: string[];
  authentication_results?: string;
  /** Of Outlook. */
  folder?: string;
  categories?: string[];
  headers?: Record<string, string>;
  silent?: boolean;
}

async function call(method: string, url: string, body?: unknown, headers: Record<string, string> = {}, also: number[] = []) {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok && !also.includes(answer.status)) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const admin = (method: string, path: string, body?: unknown, also?: number[]) =>
  call(method, `${stack.google_url}/admin${path}`, body, {}, also);
const microsofts = (method: string, path: string, body?: unknown, also?: number[]) =>
  call(method, `${stack.microsoft_url}/admin${path}`, body, {}, also);

/** What a story needs of a provider, whose fake does beside the page what the world does. */
export interface Provider {
  id: 'gmail' | 'outlook';
  /** As the page offers it. */
  name: string;
  /** What allows on its page of consent. */
  allow: string;
  mailbox: (email: string) => Promise<unknown>;
  deliver: (email: string, mail: NewMail) => Promise<string>;
  revokeGrants: (email: string) => Promise<void>;
  /** The body that connects, as if the person had consented. */
  consented: (email: string, asked: Asked) => Promise<object>;
}

type Asked = (verb: string, path: string, body?: unknown) => Promise<any>;

export const gmail: Provider = {
  id: 'gmail',
  name: 'Gmail',
  allow: 'Allow',
  mailbox: (email) => google.mailbox(email),
  deliver: (email, mail) => google.deliver(email, mail),
  revokeGrants: (email) => google.revokeGrants(email),
  consented: async (email) => ({ auth_code: (await admin('POST', '/codes', { email })).code }),
};

export const outlook: Provider = {
  id: 'outlook',
  name: 'Outlook',
  allow: 'Accept',
  mailbox: (email) => microsofts('POST', '/mailboxes', { email }, [409]),
  deliver: async (email, { to, internal_date, attachment, label_ids, authentication_results, thread_id, ...mail }) => {
    const received = internal_date === undefined ? {} : { received: new Date(internal_date).toISOString() };
    const more = { ...(to && { to: [to] }), ...(attachment && { attachments: [attachment] }), ...received };
    return (await microsofts('POST', `/mailboxes/${email}/messages`, { ...mail, ...more })).id;
  },
  revokeGrants: (email) => microsofts('POST', '/grants/revoke', { email, at_once: true }),
  // The page of consent answers a program at once, with the account of its hint.
  consented: async (email, asked) => {
    const { authorization_url, state } = await asked('GET', `/api/auth/microsoft/outlook/start?login_hint=${encodeURIComponent(email)}`);
    const answer = await fetch(authorization_url, { redirect: 'manual', headers: { accept: 'application/json' } });
    const back = new URL(answer.headers.get('location') ?? '');
    return { auth_code: back.searchParams.get('code'), state, callback_url: back.origin + back.pathname };
  },
};

export const PROVIDERS = [gmail, outlook];

/** What only the fake Microsoft knows. */
export const microsoft = {
  /** The organization of a mailbox. */
  tenant: async (email: string): Promise<string> => (await microsofts('GET', `/mailboxes/${email}`)).tid,
  /** Whether an organization's people may allow apps by themselves. */
  letsUsersConsent: (tenant: string, users_may_consent: boolean) => microsofts('PUT', `/tenants/${tenant}`, { users_may_consent }),
  /** The next consent of this person grants less than it is asked for. */
  grantsWithout: (email: string, without: string[]) => microsofts('POST', '/consents', { email, without }),
  /** Takes all mail out of a mailbox, if there is one. */
  empty: async (email: string) => {
    await outlook.mailbox(email);
    for (const { id } of await microsoft.mail(email)) await microsofts('DELETE', `/mailboxes/${email}/messages/${encodeURIComponent(id)}`);
  },
  folder: async (email: string, name: string): Promise<string> => (await microsofts('POST', `/mailboxes/${email}/folders`, { name }, [409])).id,
  mail: async (email: string): Promise<{ id: string; subject: string; folder: string; categories: string[]; is_read: boolean }[]> =>
    (await microsofts('GET', `/mailboxes/${email}`)).messages,
  /** The next exchange of a code of this person's is refused by this number. */
  refusesCode: (email: string, aadsts: number) => microsofts('POST', '/faults', { name: 'token', email, aadsts }),
};

/** What only the fake Google knows; it is the users' issuer too. */
export const google = {
  mailbox: (email: string) => admin('POST', '/mailboxes', { email }, [409]),
  deliver: async (email: string, mail: NewMail): Promise<string> => (await admin('POST', `/mailboxes/${email}/messages`, mail)).id,
  /** Takes all mail out of a mailbox, if there is one. */
  empty: async (email: string) => {
    await google.mailbox(email);
    const { messages } = await admin('GET', `/mailboxes/${email}`);
    for (const { id } of messages as { id: string }[]) await admin('DELETE', `/mailboxes/${email}/messages/${id}`);
  },
  label: (email: string, id: string, add: string[]) => admin('POST', `/mailboxes/${email}/messages/${id}/labels`, { add }),
  revokeGrants: async (email: string) => {
    await admin('POST', '/grants/revoke', { email });
    await admin('POST', '/access-tokens/expire', { email });
  },
  /** How users sign in from now on: how long a token is good, and whether anybody is signed in still. */
  signIn: (change: { expires_in?: number; end_sessions?: boolean }) => admin('PUT', '/sign-in', change),
};

/** Calls the API in somebody's name, to arrange what a story begins with. */
export async function api(sub: string, role: Role = 'admin') {
  const { method, url, body } = stack.mint_user_token;
  const { token } = await call(method, url, { ...body, sub, claims: { role } });
  const headers = { authorization: `Bearer ${token}`, origin: APP_ORIGIN, 'x-requested-with': 'XMLHttpRequest' };
  return (verb: string, path: string, asked?: unknown) => call(verb, `${stack.api_url}${path}`, asked, headers);
}

/** Connects a mailbox without the page. */
export async function connected(sub: string, email: string, provider = gmail): Promise<string> {
  await provider.mailbox(email);
  const asked = await api(sub);
  const { providers } = await asked('GET', '/api/system/info');
  const { connect } = providers.find(({ id }: { id: string }) => id === provider.id);
  return (await asked('POST', connect, await provider.consented(email, asked))).connector_id;
}

/** Makes a trigger without the page. */
export async function triggered(sub: string, connector_id: string, filters: object = {}): Promise<string> {
  const asked = await api(sub);
  const config = { connector_id, filters };
  return (await asked('POST', '/api/triggers', { type: 'email', agent_id: 'billing-agent', config })).id;
}

/** Fires a webhook trigger as the system does that has its secret (docs/events.md). */
export async function fireSigned(trigger: string, secret: string, payload: object): Promise<void> {
  const [seconds, body] = [Math.floor(Date.now() / 1000), JSON.stringify(payload)];
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  await call('POST', `${stack.api_url}/api/triggers/${trigger}/events`, payload, { 'x-signature': `t=${seconds},v1=${mac}` });
}

/** Waits until something of the world is so. */
export async function until<T>(what: string, read: () => Promise<T | undefined | false>, seconds = 30): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (Date.now() > end) throw new Error(`it is not so after ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
