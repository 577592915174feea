// What is known of a message's sender, in a word and a sentence.
import type { Message } from 'email-connectors-client';
import type { Tone } from '../ui';
import { asciiDomain } from '../ui/stranger-text';

export type SenderVerdict = { tone: Tone; word: string; text: string };

/** `undefined` of what the mailbox itself wrote. */
export function senderVerdict({ authentication, from, label_ids }: Message): SenderVerdict | undefined {
  if (label_ids.includes('SENT') || label_ids.includes('DRAFT')) return undefined;
  const address = from?.address ?? '';
  // As machines write it: a lookalike stands behind its own mail.
  const domain = asciiDomain(address) ?? address.slice(address.lastIndexOf('@') + 1);
  const results = resultsOf(authentication);
  const dmarc = authentication?.dmarc;
  if (dmarc === 'pass') {
    return {
      tone: 'good',
      word: 'authenticated',
      text: `${domain} stands behind this mail (${results}). It says nothing of who wrote it, nor of the name beside the address.`,
    };
  }
  if (dmarc === 'fail') {
    return {
      tone: 'bad',
      word: 'may be forged',
      text: `${domain || 'The sender’s domain'} does not stand behind this mail (${results}).`,
    };
  }
  const said = results === '' ? 'The provider said nothing of its sender' : `The provider found: ${results}`;
  return { tone: 'warn', word: 'not authenticated', text: `${said}. Anybody could have written this address.` };
}

function resultsOf(authentication: Message['authentication']): string {
  return Object.entries(authentication ?? {})
    .filter(([, result]) => Boolean(result))
    .map(([check, result]) => `${check.toUpperCase()} ${String(result)}`)
    .join(', ');
}

const KINDS: Record<string, string> = {
  bounce: 'a report that a mail was not delivered',
  reply: 'an automatic reply',
  list: 'mail of a mailing list',
  notification: 'a notification of a machine',
};

export function automaticInWords({ automatic }: Message): string | undefined {
  if (!automatic) return undefined;
  const kind = KINDS[automatic.kind] ?? automatic.kind;
  return `It says of itself that it is ${kind}${automatic.list_id ? ` (${automatic.list_id})` : ''}.`;
}

/** Answers would go elsewhere than to the sender. */
export function answersElsewhere({ from, reply_to }: Message): boolean {
  const domainOf = (address: string) => address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  return reply_to.length > 0 && reply_to.some(({ address }) => domainOf(address) !== domainOf(from?.address ?? ''));
}
