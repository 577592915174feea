// What a person sees of a connector at a glance.
import type { Connector } from 'email-connectors-client';
import type { Tone } from '../ui';

export type { Connector };

/** What a person calls it: the label, with the address beside it. */
export function nameOf({ label, email_address }: Pick<Connector, 'label' | 'email_address'>): string {
  return label ? `${label} (${email_address})` : email_address;
}

export type Word = { word: string; tone: Tone; says: string };

/** Its states in words, the one that matters most first. Never empty. */
export function wordsOf(connector: Pick<Connector, 'status' | 'paused' | 'watch' | 'circuit' | 'closing'>): Word[] {
  if (connector.closing) {
    return [{ word: 'Closing', tone: 'quiet', says: 'It is being disconnected. Nothing of it fires any more.' }];
  }
  const words: Word[] = [];
  const add = (holds: boolean, word: string, tone: Tone, says: string) => holds && words.push({ word, tone, says });
  const { status, watch, circuit, paused } = connector;
  add(status === 'needs_reauth', 'Needs sign-in again', 'bad', 'The grant ended. Reconnect it: the mail that came meanwhile fires then.');
  add(status === 'error', 'Error', 'bad', 'It does not work. Reconnect it.');
  add(circuit.state === 'open', 'Circuit open', 'warn', 'The mail provider fails or asks to wait. It is tried again by itself.');
  add(watch.status === 'failed', 'Watch failed', 'warn', 'The mail provider does not push. Mail is found by comparing, later than usual.');
  add(paused, 'Paused', 'quiet', 'Mail that arrives now never fires.');
  if (words.length === 0 && watch.status === 'pending') {
    add(true, 'Starting', 'quiet', 'The mail provider has not been asked to push yet. That takes some minutes at most.');
  }
  if (words.length === 0) add(true, 'Active', 'good', 'New mail is looked at as it arrives.');
  return words;
}
