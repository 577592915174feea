/** What people read of filters, and of the reasons of a dry run. */

import { CHOICE_FILTERS, type FilterName, type Filters, LIST_FILTERS } from './filters';

/** A label's name; ids that the mailbox does not know stay ids. */
export type LabelName = (id: string) => string;

interface Described {
  title: string;
  hint: string;
}

export const FILTERS: Record<FilterName, Described> = {
  query: {
    title: 'Words in From or Subject',
    hint: 'Each word must stand in From, as it is shown, or in the subject. Senders choose both.',
  },
  from_domain: {
    title: "Sender's domain",
    hint: "The whole domain of From's address, such as shop.example. A subdomain is another one.",
  },
  from_contains: {
    title: "Sender's address contains",
    hint: 'Any of these texts. The name beside the address does not count.',
  },
  to_contains: {
    title: "Recipient's address contains",
    hint: 'Any of these texts, in an address of To.',
  },
  subject_contains: { title: 'Subject contains', hint: 'Any of these texts.' },
  label_include: { title: 'With all of these labels', hint: 'The message has each of them.' },
  label_exclude: { title: 'With none of these labels', hint: 'The message has none of them.' },
  has_attachment: { title: 'Attachments', hint: 'Whether the message has attachments.' },
  authenticated: {
    title: 'Authenticated sender',
    hint: "Whether the provider found that the domain of From's address stands behind the mail (DMARC). Of Outlook nothing is known, so that no mail is authenticated.",
  },
  automatic: {
    title: 'Automatic mail',
    hint: 'Automatic replies, mailing lists, bounces, notifications. An agent that answers mail needs “not automatic”.',
  },
};

export const CHOICES: Record<(typeof CHOICE_FILTERS)[number], { yes: string; no: string; any: string }> = {
  has_attachment: { any: 'Any mail', yes: 'With attachments', no: 'Without attachments' },
  authenticated: { any: 'Any mail', yes: 'Authenticated', no: 'Not authenticated' },
  automatic: { any: 'Any mail', yes: 'Automatic only', no: 'Not automatic' },
};

/** The filters, one sentence each; empty of a trigger that every received message fires. */
export function inWords(filters: Filters, label: LabelName): { filter: string; text: string }[] {
  const sentences: { filter: string; text: string }[] = [];
  const say = (filter: string, text: string) => sentences.push({ filter, text });
  if (filters.query) {
    const words = filters.query.trim().split(/\s+/);
    say('query', `From or subject has ${all(words.map(quoted))}`);
  }
  if (filters.from_domain?.length) say('from_domain', `sender's domain is ${any(filters.from_domain)}`);
  if (filters.from_contains?.length) {
    say('from_contains', `sender's address contains ${any(filters.from_contains.map(quoted))}`);
  }
  if (filters.to_contains?.length) {
    say('to_contains', `a recipient's address contains ${any(filters.to_contains.map(quoted))}`);
  }
  if (filters.subject_contains?.length) {
    say('subject_contains', `subject contains ${any(filters.subject_contains.map(quoted))}`);
  }
  if (filters.label_include?.length) say('label_include', `has the label ${all(filters.label_include.map(label))}`);
  if (filters.label_exclude?.length) say('label_exclude', `has no label ${any(filters.label_exclude.map(label))}`);
  for (const name of CHOICE_FILTERS) {
    const value = filters[name];
    if (value !== undefined && value !== null) say(name, CHOICES[name][value ? 'yes' : 'no'].toLowerCase());
  }
  const known = new Set<string>(['query', ...LIST_FILTERS, ...CHOICE_FILTERS]);
  for (const [name, value] of Object.entries(filters)) {
    if (!known.has(name)) say(name, `${name}: ${JSON.stringify(value)}`);
  }
  return sentences;
}

export interface Reason {
  reason: string;
  detail?: unknown;
}

/** A row of the table that says why a message does not fire. */
export interface ReasonInWords {
  /** The filter or the rule. */
  rule: string;
  wanted: string;
  saw: string;
}

export function reasonInWords(reason: Reason, label: LabelName, time: (iso: string) => string): ReasonInWords {
  const detail = record(reason.detail);
  const at = (name: string) => (typeof detail[name] === 'string' ? time(detail[name]) : '—');
  switch (reason.reason) {
    case 'filter':
      return filterInWords(detail, label);
    case 'older_than_trigger':
      return { rule: 'Age', wanted: `mail from after the trigger was made (${at('created_at')})`, saw: 'older mail' };
    case 'older_than_connect':
      return {
        rule: 'Age',
        wanted: `mail from after the mailbox was connected (${at('connected_at')})`,
        saw: 'older mail',
      };
    case 'older_than_ledger':
      return { rule: 'Age', wanted: 'mail that is recent enough to know whether it fired', saw: 'older mail' };
    case 'already_decided':
      return { rule: 'Once per message', wanted: 'a message that did not fire yet', saw: 'it fired already' };
    case 'not_received':
      return {
        rule: 'Received mail',
        wanted: 'received mail: no drafts, sent mail, spam or trash',
        saw: labelled(detail.label_ids, label),
      };
    case 'paused':
      return {
        rule: 'Pause',
        wanted: "mail from outside the connector's pauses",
        saw: `paused from ${at('from')} ${typeof detail.until === 'string' ? `to ${at('until')}` : 'until now'}`,
      };
    default:
      return { rule: reason.reason, wanted: '—', saw: JSON.stringify(reason.detail ?? null) };
  }
}

/** Reasons that only say that the mail is old: with these alone it would have matched. */
export function isOnlyOfAge(reasons: readonly Reason[]): boolean {
  const age = ['older_than_trigger', 'older_than_connect', 'already_decided'];
  return reasons.length > 0 && reasons.every(({ reason }) => age.includes(reason));
}

function filterInWords(detail: Record<string, unknown>, label: LabelName): ReasonInWords {
  const { filter, wanted, saw } = detail;
  const texts = strings(wanted);
  switch (filter) {
    case 'query':
      return row('query', all(String(wanted).trim().split(/\s+/).map(quoted)), shownSender(saw));
    case 'from_domain':
      return row('from_domain', any(texts), text(saw, 'no readable domain'));
    case 'from_contains':
      return row('from_contains', any(texts.map(quoted)), text(saw, 'no sender'));
    case 'to_contains':
      return row('to_contains', any(texts.map(quoted)), strings(saw).join(', ') || 'nobody in To');
    case 'subject_contains':
      return row('subject_contains', any(texts.map(quoted)), text(saw, 'no subject'));
    case 'label_include':
      return row('label_include', all(texts.map(label)), labelled(saw, label));
    case 'label_exclude':
      return row('label_exclude', `none of ${texts.map(label).join(', ')}`, labelled(saw, label));
    case 'has_attachment':
      return row('has_attachment', choice('has_attachment', wanted), choice('has_attachment', saw));
    case 'authenticated':
      return row('authenticated', choice('authenticated', wanted), verdicts(saw));
    case 'automatic':
      return row('automatic', choice('automatic', wanted), kind(saw));
    default:
      return { rule: String(filter), wanted: JSON.stringify(wanted ?? null), saw: JSON.stringify(saw ?? null) };
  }
}

function row(filter: FilterName, wanted: string, saw: string): ReasonInWords {
  return { rule: FILTERS[filter].title, wanted, saw };
}

function choice(name: keyof typeof CHOICES, value: unknown): string {
  return CHOICES[name][value === true ? 'yes' : 'no'].toLowerCase();
}

function verdicts(saw: unknown): string {
  const results = Object.entries(record(saw)).map(([check, result]) => `${check.toUpperCase()} ${String(result)}`);
  return results.length === 0 ? 'the provider said nothing' : results.join(', ');
}

function kind(saw: unknown): string {
  const { kind, list_id } = record(saw);
  if (typeof kind !== 'string') return 'nothing that says it is automatic';
  return typeof list_id === 'string' ? `${kind} (${list_id})` : kind;
}

function shownSender(saw: unknown): string {
  const { from, subject } = record(saw);
  const { name, address } = record(from);
  const sender = [name, typeof address === 'string' && address !== '' ? `<${address}>` : '']
    .filter(Boolean)
    .join(' ');
  return `From ${sender || 'nobody'}; subject ${typeof subject === 'string' ? quoted(subject) : 'none'}`;
}

function labelled(ids: unknown, label: LabelName): string {
  return strings(ids).map(label).join(', ') || 'no labels';
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function quoted(value: string): string {
  return `“${value}”`;
}

function any(values: string[]): string {
  return joined(values, 'or');
}

function all(values: string[]): string {
  return joined(values, 'and');
}

function joined(values: string[], word: string): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} ${word} ${last}`;
}
