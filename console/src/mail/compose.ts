// A letter as it is typed, and the mail that the API makes of it.
import type { Address, DraftChange, Message, Outgoing, OutgoingAttachment, Recipient } from 'email-connectors-client';

export type Letter = {
  to: string;
  cc: string;
  bcc: string;
  subject: string;
  text: string;
  /** Empty: the mailbox's own. */
  fromName: string;
  fromAddress: string;
  /** Of a forward. */
  forwardAs: 'inline' | 'attachment';
};

/** What a letter answers or passes on. */
export type About = { how: 'reply' | 'reply-all' | 'forward'; message: Message } | undefined;

export const BLANK: Letter = {
  to: '',
  cc: '',
  bcc: '',
  subject: '',
  text: '',
  fromName: '',
  fromAddress: '',
  forwardAs: 'inline',
};

/** The people of a field. A comma within quotes or brackets belongs to the name. */
export function recipientsIn(text: string): { recipients: Recipient[]; fault: string | undefined } {
  const recipients: Recipient[] = [];
  let fault: string | undefined;
  for (const part of parts(text)) {
    const named = /^((?:"(?:[^"\\]|\\.)*"|[^"<>])*)<([^<>]*)>$/s.exec(part);
    const address = (named?.[2] ?? part).trim();
    const name = unquoted((named?.[1] ?? '').trim());
    if (!/^(?:"[^"]+"|[^\s"<>(),;:@]+)@[^\s"<>(),;:@]+$/.test(address)) {
      fault ??= `“${part}” is no address. Write bo@example.com or Bo <bo@example.com>, with commas between.`;
      continue;
    }
    recipients.push(name === '' ? address : { name, address });
  }
  return { recipients, fault };
}

export function addressOf(recipient: Recipient): string {
  return typeof recipient === 'string' ? recipient : recipient.address;
}

/** As it is typed into a field, and read back from it. */
export function written(addresses: readonly Address[]): string {
  return addresses
    .filter(({ address }) => address !== '')
    .map(({ name, address }) => (name ? `${quoted(name)} <${address}>` : address))
    .join(', ');
}

export function letterAbout(about: NonNullable<About>, own: string, time: (iso: string) => string): Letter {
  const { how, message } = about;
  const subject = withPrefix(how === 'forward' ? 'Fwd' : 'Re', message.subject ?? '');
  if (how === 'forward') return { ...BLANK, subject };
  const isOwn = (address: string) => address.toLowerCase() === own.toLowerCase();
  const sentByMe = message.label_ids.includes('SENT');
  const answered = message.reply_to.length > 0 ? message.reply_to : message.from ? [message.from] : [];
  const to = sentByMe ? message.to : answered;
  const reached = new Set(to.map(({ address }) => address.toLowerCase()));
  const others = (sentByMe ? message.cc : [...message.to, ...message.cc]).filter(({ address }) => {
    const isNew = !isOwn(address) && !reached.has(address.toLowerCase());
    reached.add(address.toLowerCase());
    return isNew;
  });
  return {
    ...BLANK,
    to: written(to),
    cc: how === 'reply-all' ? written(others) : '',
    subject,
    text: quotation(message, time),
  };
}

/** A draft that lies in the mailbox, as it is changed. */
export function letterOf(message: Message): Letter {
  return {
    ...BLANK,
    to: written(message.to),
    cc: written(message.cc),
    bcc: written(message.bcc ?? []),
    subject: message.subject ?? '',
    text: message.body?.text ?? '',
  };
}

/** The whole mail. `undefined` where a field cannot be read. */
export function outgoingOf(letter: Letter, about: About, attachments: OutgoingAttachment[]): Outgoing | undefined {
  const [to, cc, bcc] = [recipientsIn(letter.to), recipientsIn(letter.cc), recipientsIn(letter.bcc)];
  if (to.fault ?? cc.fault ?? bcc.fault) return undefined;
  const from = fromOf(letter);
  return {
    to: to.recipients,
    cc: cc.recipients,
    bcc: bcc.recipients,
    subject: letter.subject,
    text: letter.text,
    attachments,
    ...(from && { from }),
    ...(about && about.how !== 'forward' && { reply_to_message_id: about.message.id }),
    ...(about?.how === 'forward' && { forward_message_id: about.message.id, forward_as: letter.forwardAs }),
  };
}

/** What of a draft is to be changed; the rest of it stays as it is. An own text takes the place of its HTML. */
export function changeOf(
  letter: Letter,
  before: Letter,
  hadHtml: boolean,
  attachments?: OutgoingAttachment[],
): DraftChange | undefined {
  const change: DraftChange = {};
  for (const field of ['to', 'cc', 'bcc'] as const) {
    if (letter[field] === before[field]) continue;
    const { recipients, fault } = recipientsIn(letter[field]);
    if (fault) return undefined;
    change[field] = recipients;
  }
  if (letter.subject !== before.subject) change.subject = letter.subject;
  if (letter.text !== before.text) {
    change.text = letter.text;
    if (hadHtml) change.html = '';
  }
  const from = fromOf(letter);
  if (from) change.from = from;
  if (attachments && attachments.length > 0) change.attachments = attachments;
  return change;
}

/** The field of the form at which a problem belongs; `attachments` has a row. */
export function fieldOf(path: string | undefined): { field: keyof Letter | 'attachments'; row?: number } | undefined {
  const [, name, row] = /^(to|cc|bcc|subject|text|attachments|from)\b(?:\[(\d+)\])?/.exec(path ?? '') ?? [];
  if (name === undefined) return undefined;
  if (name === 'from') return { field: path === 'from.name' ? 'fromName' : 'fromAddress' };
  if (name === 'attachments') return { field: 'attachments', ...(row !== undefined && { row: Number(row) }) };
  return { field: name as keyof Letter };
}

function fromOf({ fromName, fromAddress }: Letter): Outgoing['from'] {
  const [name, address] = [fromName.trim(), fromAddress.trim()];
  if (name === '' && address === '') return null;
  return { ...(name !== '' && { name }), ...(address !== '' && { address }) };
}

function quotation(message: Message, time: (iso: string) => string): string {
  const text = (message.body?.text ?? message.snippet).replace(/\r\n?/g, '\n').trimEnd();
  const writer = message.from ? written([message.from]) || message.from.name || 'somebody' : 'somebody';
  return `\n\nOn ${time(message.timestamp)}, ${writer} wrote:\n${text.replace(/^/gm, '> ').replace(/^> >/gm, '>>')}\n`;
}

function withPrefix(prefix: string, subject: string): string {
  return new RegExp(`^\\s*${prefix}:`, 'i').test(subject) ? subject : `${prefix}: ${subject}`;
}

function parts(text: string): string[] {
  const found: string[] = [];
  let part = '';
  let quote = false;
  let bracket = false;
  for (const sign of text) {
    if (sign === '"' && !part.endsWith('\\')) quote = !quote;
    if (!quote && sign === '<') bracket = true;
    if (!quote && sign === '>') bracket = false;
    if (!quote && !bracket && /[,;\n\r]/.test(sign)) {
      found.push(part);
      part = '';
    } else part += sign;
  }
  return [...found, part].map((each) => each.trim()).filter(Boolean);
}

function quoted(name: string): string {
  const line = name.replace(/[\r\n]+/g, ' ');
  return /^[\p{L}\p{N} .'-]+$/u.test(line) ? line : `"${line.replace(/[\\"]/g, '\\$&')}"`;
}

function unquoted(name: string): string {
  return /^".*"$/s.test(name) ? name.slice(1, -1).replace(/\\(.)/g, '$1') : name;
}
