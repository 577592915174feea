// Triggers, firings and mail, answered from memory.
import type { Firing, Looked, Message, Outgoing, Reason, Trigger } from 'email-connectors-client';
import { DRAFTS, LABELS, MESSAGES } from './mailbox.ts';
import { Refused, type routes } from './mock.ts';
import { ago, now } from './world.ts';

type Call = Parameters<(typeof routes)[number][2]>[0];
type Filters = Record<string, unknown>;
type Entry = (typeof routes)[number];

const CON = 'con_019b78ef2a6c7e519d0b4c8f1a2e3d40';
const trigger = (id: string, type: 'email' | 'webhook', filters: Filters, agent_id: string | null, seconds: number): Trigger =>
  ({ id, owner_id: 'user-17', type, agent_id, config: { connector_id: CON, filters }, created_at: ago(seconds), updated_at: ago(seconds) }) as Trigger;

let triggers: Trigger[] = [
  trigger('trg_019b78f0c4b17d0f8a3e5d2c9b6f7a10', 'email', { subject_contains: ['invoice'], has_attachment: true, automatic: false }, 'billing-agent', 600_000),
  trigger('trg_019b78f0c4b17d0f8a3e5d2c9b6f7a11', 'email', { from_domain: ['bank.example'], authenticated: true, label_exclude: ['Label_8'] }, null, 6_000),
  trigger('trg_019b78f7d0a17c3e9b5f4d6c8e7a1b20', 'webhook', {}, 'orders', 90_000),
];

/** A firing now and then, so that new ones come by themselves. */
const EVERY_MS = Number(process.env['MOCK_FIRING_MS'] ?? 20_000);
const began = now();

function firingsOf(one: Trigger): Firing[] {
  const connector = { id: CON, provider: 'gmail', email_address: 'ada@example.com' };
  const head = { schema_version: 1, owner_id: 'user-17', trigger: { id: one.id, type: one.type, agent_id: one.agent_id ?? null }, connector };
  if (one.type === 'webhook') {
    return [3_000, 80_000].map((seconds, at) => ({
      event_id: `evt_webhook${at}`,
      decided_at: ago(seconds),
      detail_type: 'TRIGGER_FIRED',
      connector_id: CON,
      published: true,
      detail: { ...head, event_id: `evt_webhook${at}`, fired_at: ago(seconds), event: { connector_type: 'webhook', event_type: 'order.paid', resource_type: 'order', resource_id: String(7 + at), timestamp: ago(seconds), data: { sum: 12 }, raw_payload: '{"event_type":"order.paid"}' }, correlation: {} },
    })) as unknown as Firing[];
  }
  const fresh = one === triggers[0] ? Math.floor((now() - began) / EVERY_MS) : 0;
  const matching = MESSAGES.filter((message) => unmet(one.config.filters as Filters, message).length === 0);
  const again = Array.from({ length: fresh }, (_, at): Message => ({ ...MESSAGES[0]!, subject: `Your invoice 2026-${100 + fresh - at}`, timestamp: new Date(began + (fresh - at) * EVERY_MS).toISOString() }));
  return [...again, ...matching].map((message, at) => {
    const event_id = `evt_${one.id.slice(-4)}${again.length + matching.length - at}`;
    const { body: _b, attachments: _a, embedded: _e, ...rest } = message;
    return { event_id, decided_at: message.timestamp, detail_type: 'TRIGGER_FIRED', connector_id: CON, message_id: message.id, published: at !== 1, detail: { ...head, event_id, fired_at: message.timestamp, message: rest, correlation: {} } };
  }) as unknown as Firing[];
}

function unmet(filters: Filters, message: Message): Reason[] {
  const has = (texts: unknown, value: string) => (texts as string[]).some((text) => value.toLowerCase().includes(text.toLowerCase()));
  const address = message.from?.address ?? '';
  const checks: Record<string, [boolean, unknown]> = {
    query: [String(filters['query']).split(/\s+/).every((word) => has([word], `${message.from?.name} ${address} ${message.subject}`)), { from: message.from, subject: message.subject }],
    from_contains: [has(filters['from_contains'] ?? [], address), address],
    from_domain: [((filters['from_domain'] ?? []) as string[]).includes(address.split('@')[1] ?? ''), address.split('@')[1]],
    to_contains: [message.to.some((to) => has(filters['to_contains'] ?? [], to.address)), message.to.map((to) => to.address)],
    subject_contains: [has(filters['subject_contains'] ?? [], message.subject ?? ''), message.subject],
    label_include: [((filters['label_include'] ?? []) as string[]).every((id) => message.label_ids.includes(id)), message.label_ids],
    label_exclude: [!((filters['label_exclude'] ?? []) as string[]).some((id) => message.label_ids.includes(id)), message.label_ids],
    has_attachment: [message.has_attachments === filters['has_attachment'], message.has_attachments],
    authenticated: [(message.authentication?.dmarc === 'pass') === filters['authenticated'], message.authentication ?? null],
    automatic: [Boolean(message.automatic) === filters['automatic'], message.automatic ?? null],
  };
  return Object.keys(filters).flatMap((filter) => {
    const [holds, saw] = checks[filter] ?? [true, null];
    return holds ? [] : [{ reason: 'filter', detail: { filter, wanted: filters[filter], saw } } as Reason];
  });
}

function rehearsed(filters: Filters, { body }: Call, of?: Trigger) {
  const [days, limit] = [Number(body['days'] ?? 7), Number(body['limit'] ?? 50)];
  const all = MESSAGES.filter(({ timestamp, label_ids }) => timestamp > ago(days * 86_400) && !label_ids.includes('TRASH'));
  const looked = all.slice(0, limit).map((message): Looked => {
    const reasons: Reason[] = unmet(filters, message);
    if (message.label_ids.includes('SENT')) reasons.unshift({ reason: 'not_received', detail: { label_ids: message.label_ids } });
    if (of && message.timestamp < of.created_at) reasons.unshift({ reason: 'older_than_trigger', detail: { created_at: of.created_at } });
    return { message_id: message.id, timestamp: message.timestamp, from: message.from ?? null, subject: message.subject ?? null, ...(reasons.length > 0 && { reasons }) };
  });
  return { ...(of && { trigger_id: of.id }), days, looked_at: looked.length, truncated: all.length > limit, would_fire: looked.filter((one) => !one.reasons), would_not: looked.filter((one) => one.reasons), unreadable: [], quota_units: 5 + 20 * looked.length };
}

function checked(filters: Filters): void {
  const refuse = (field: string, detail: string) => {
    throw new Refused(400, 'invalid_trigger', detail, { field: `config.filters.${field}` });
  };
  if (/^\w+:\S/.test(String(filters['query'] ?? ''))) refuse('query', "each word of this text is looked for in From and Subject, as it stands, but it is of Gmail's search: use `from_domain` or `from_contains`");
  const at = ((filters['from_domain'] ?? []) as string[]).findIndex((text) => /[@*\s]/.test(text));
  if (at >= 0) refuse(`from_domain[${at}]`, 'is no domain name: write only what comes after the @');
}

function one(id: string | undefined): Trigger {
  const found = triggers.find((each) => each.id === id);
  if (!found) throw new Refused(404, 'not_found', 'there is no such trigger');
  return found;
}

function message(id: string | undefined): Message {
  const found = [...MESSAGES, ...DRAFTS.map((draft) => draft.message)].find((each) => each.id === id);
  if (!found) throw new Refused(404, 'not_found', 'there is no such message');
  return found;
}

const headersOf = ({ body: _b, attachments: _a, embedded: _e, ...rest }: Message) => rest;
const page = <T>(all: T[], query: URLSearchParams, usual: number) => {
  const [from, size] = [Number(query.get('page_token') ?? 0), Number(query.get('page_size') ?? usual)];
  return { some: all.slice(from, from + size), next: from + size < all.length ? { next_page_token: String(from + size) } : {} };
};

function found(query: URLSearchParams): Message[] {
  const labels = query.get('label_ids')?.split(',') ?? [];
  const words = (query.get('query') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (message: Message) => labels.every((id) => message.label_ids.includes(id)) && words.every((word) => (word === 'has:attachment' ? message.has_attachments : word === 'is:unread' ? message.label_ids.includes('UNREAD') : JSON.stringify(headersOf(message)).toLowerCase().includes(word.replace(/^(from|subject):"?|"$/g, ''))));
  return MESSAGES.filter(fits).toSorted((one, other) => other.timestamp.localeCompare(one.timestamp));
}

const people = (all: Outgoing['to'] = []) => all.map((each) => (typeof each === 'string' ? { address: each } : { address: each.address, ...(each.name && { name: each.name }) }));

function drafted(before: Message | undefined, body: Outgoing): Message {
  const bad = (body.to ?? []).findIndex((each) => (typeof each === 'string' ? each : each.address).endsWith('.invalid'));
  if (bad >= 0) throw new Refused(400, 'invalid_request', 'no mail server takes an address that ends with `.invalid`', { field: `to[${bad}]` });
  if (body.from?.address && body.from.address !== 'help@example.com') throw new Refused(400, 'invalid_request', 'the mailbox may write as ada@example.com and help@example.com', { field: 'from.address' });
  const kept = before ?? { ...MESSAGES[9]!, id: `19bd${Math.random().toString(16).slice(2, 14)}`, thread_id: '19b0000000000010', automatic: null, label_ids: ['DRAFT'], timestamp: ago(0) };
  const files = (body.attachments ?? []).map((file, at) => ({ part_id: String(at + 1), filename: file.filename ?? '', mime_type: file.mime_type, inline: false }));
  return { ...kept, from: { name: body.from?.name ?? 'Ada', address: body.from?.address ?? 'ada@example.com' }, ...(body.to && { to: people(body.to) }), ...(body.cc && { cc: people(body.cc) }), ...(body.bcc && { bcc: people(body.bcc) }), ...(body.subject && { subject: body.subject }), body: { text: body.text ?? kept.body?.text ?? '' }, attachments: files } as Message;
}

const LOGO = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkaPhfDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const bytes = (body: Uint8Array | string, name: string) => new Response(body as BodyInit, { headers: { 'content-type': 'application/octet-stream', 'content-disposition': `attachment; filename="${name}"` } });

const C = '/api/connectors/([^/]+)';
const path = (text: string) => new RegExp(`^${text}$`);

export const rooms: Entry[] = [
  ['GET', path('/api/triggers'), () => ({ triggers })],
  ['POST', path('/api/triggers'), ({ body }) => {
    const { type, config, agent_id } = body as unknown as Trigger;
    checked((config.filters ?? {}) as Filters);
    const made = { ...trigger(`trg_${Math.random().toString(16).slice(2)}`, type, (config.filters ?? {}) as Filters, agent_id ?? null, 0), config };
    triggers = [...triggers, made];
    return type === 'webhook' ? { ...made, secret: 'whsec_4dXbT2m0Yk9wq1N7sR3vJ8cLh6uEzA5g' } : made;
  }],
  ['GET', path('/api/triggers/([^/]+)'), ({ path }) => one(path[0])],
  ['PATCH', path('/api/triggers/([^/]+)'), ({ path, body }) => {
    const known = one(path[0]);
    const config = body['config'] as { filters: Filters } | undefined;
    if (config) checked(config.filters);
    Object.assign(known, { updated_at: ago(0), ...('agent_id' in body && { agent_id: body['agent_id'] }), ...(config && { config: { ...known.config, filters: config.filters } }) });
    return known;
  }],
  ['DELETE', path('/api/triggers/([^/]+)'), ({ path }) => {
    const gone = one(path[0]);
    triggers = triggers.filter((each) => each !== gone);
    return new Response(null, { status: 204 });
  }],
  ['POST', path('/api/triggers/([^/]+)/test'), (call) => rehearsed(one(call.path[0]).config.filters as Filters, call, one(call.path[0]))],
  ['POST', path(`${C}/rehearsals`), (call) => {
    const { filters = {} } = (call.body['config'] ?? {}) as { filters?: Filters };
    checked(filters);
    return rehearsed(filters, call);
  }],
  ['POST', path('/api/triggers/([^/]+)/secret'), () => ({ secret: 'whsec_9aKcU7n1Zl0xr2O8tS4wK9dMi7vFzB6h', previous_valid_until: ago(-86_400) })],
  ['POST', path('/api/triggers/([^/]+)/events'), () => ({ event_id: 'evt_c3d1f0a2b4e65f7889a0b1c2d3e4f506' })],
  ['GET', path('/api/triggers/([^/]+)/firings'), ({ path, query, role }) => {
    const { some, next } = page(firingsOf(one(path[0])), query, 100);
    return { firings: role === 'viewer' ? some.map(({ detail: _, ...rest }) => rest) : some, ...next };
  }],
  ['GET', path(`${C}/labels`), () => ({ labels: LABELS })],
  ['GET', path(`${C}/messages`), ({ query }) => {
    const { some, next } = page(found(query), query, 20);
    return { messages: some.map(headersOf), result_size_estimate: 201, ...next };
  }],
  ['GET', path(`${C}/messages/([^/]+)`), ({ path }) => message(path[1])],
  ['GET', path(`${C}/messages/([^/]+)/attachments/([^/]+)`), ({ path }) => {
    const file = [...(message(path[1]).attachments ?? []), ...(message(path[1]).embedded ?? [])].find(({ part_id }) => part_id === path[2]);
    if (!file) throw new Refused(404, 'not_found', 'there is no such part');
    if ((file.size ?? 0) > 4_194_304) throw new Refused(413, 'attachment_too_large', 'ask for a URL');
    return file.mime_type === 'image/png' ? bytes(LOGO, file.filename) : bytes('%PDF-1.4', file.filename);
  }],
  ['GET', path(`${C}/messages/([^/]+)/attachments/([^/]+)/url`), ({ request }) => ({ url: new URL('/api/mock-file', request.url).href, expires_at: ago(-900), size: 1, mime_type: 'application/pdf', filename: 'a' })],
  ['GET', path('/api/mock-file'), () => bytes('A large file.', 'large.bin')],
  ['GET', path(`${C}/threads/([^/]+)`), ({ path }) => {
    const messages = [...MESSAGES].filter(({ thread_id }) => thread_id === path[1]).toSorted((one, other) => one.timestamp.localeCompare(other.timestamp));
    if (messages.length === 0) throw new Refused(404, 'not_found', 'there is no such thread');
    return { id: path[1], messages: messages.map(headersOf) };
  }],
  ['POST', path(`${C}/threads/([^/]+)/modify`), ({ path, body }) => {
    const { add_label_ids: add = [], remove_label_ids: remove = [] } = body as { add_label_ids?: string[]; remove_label_ids?: string[] };
    for (const each of MESSAGES) if (each.thread_id === path[1]) each.label_ids = [...new Set([...each.label_ids.filter((id) => !remove.includes(id)), ...add])];
    return { id: path[1] };
  }],
  ...(['trash', 'untrash'] as const).map((how): Entry => ['POST', path(`${C}/threads/([^/]+)/${how}`), ({ path }) => {
    for (const each of MESSAGES) if (each.thread_id === path[1]) each.label_ids = how === 'trash' ? ['TRASH'] : ['INBOX'];
    return { id: path[1] };
  }]),
  ['GET', path(`${C}/drafts`), () => ({ drafts: DRAFTS.map(({ id, message }) => ({ id, message: { id: message.id, thread_id: message.thread_id } })), result_size_estimate: DRAFTS.length })],
  ['POST', path(`${C}/drafts`), ({ body }) => {
    const made = { id: `r-${Math.random().toString(10).slice(2, 8)}`, message: drafted(undefined, body as Outgoing) };
    DRAFTS.unshift(made);
    return { id: made.id, message: { id: made.message.id, thread_id: made.message.thread_id } };
  }],
  ['GET', path(`${C}/drafts/([^/]+)`), ({ path }) => draft(path[1])],
  ...(['PUT', 'PATCH'] as const).map((method): Entry => [method, path(`${C}/drafts/([^/]+)`), ({ path, body }) => {
    const known = draft(path[1]);
    known.message = drafted(known.message, body as Outgoing);
    return { id: known.id, message: { id: known.message.id, thread_id: known.message.thread_id } };
  }]),
  ['DELETE', path(`${C}/drafts/([^/]+)`), ({ path }) => (DRAFTS.splice(DRAFTS.indexOf(draft(path[1])), 1), new Response(null, { status: 204 }))],
  ['POST', path(`${C}/drafts/([^/]+)/send`), ({ path }) => {
    const [sent] = DRAFTS.splice(DRAFTS.indexOf(draft(path[1])), 1);
    if (sent!.message.subject?.includes('unknown')) throw new Refused(502, 'outcome_unknown', 'the connection to Gmail broke: the mail may have been sent, or not');
    MESSAGES.push({ ...sent!.message, label_ids: ['SENT'] });
    return { id: sent!.message.id, thread_id: sent!.message.thread_id, label_ids: ['SENT'] };
  }],
  ['POST', path(`${C}/uploads`), ({ request }) => ({ upload_id: '019b0000-0000-7000-8000-00000000001f', method: 'PUT', url: new URL('/api/mock-upload', request.url).href, headers: {}, expires_at: ago(-900) })],
  ['PUT', path('/api/mock-upload'), () => new Response(null, { status: 200 })],
];

function draft(id: string | undefined) {
  const known = DRAFTS.find((each) => each.id === id);
  if (!known) throw new Refused(404, 'not_found', 'there is no such draft');
  return known;
}
