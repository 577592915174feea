// Problem to sentence: a title of ours for what people meet often, and the API's own detail below it.
import type { Problem } from './problem';

const TITLES: Record<string, string> = {
  unreachable: 'The API does not answer',
  unauthorized: 'The API does not accept your sign-in',
  role_not_allowed: 'Your role does not allow this',
  not_found: 'There is no such thing',
  too_many_requests: 'Too many requests',
  rate_limited: 'The mail provider asks to wait',
  needs_reauth: 'The mailbox needs its owner to sign in again',
  connector_closing: 'The mailbox is being disconnected',
  insufficient_scope: 'The mailbox was connected without this permission',
  domain_policy: 'The administrator of this mailbox does not allow the app',
  circuit_open: 'The mail provider failed repeatedly',
  gmail_unavailable: 'The mail provider does not answer',
  gmail_refused: 'The mail provider refused',
  unavailable: 'Something that this needs does not answer',
  keys_unavailable: 'The identity provider does not answer',
  queue_unavailable: 'The queue does not answer',
  internal_error: 'Something failed on our side',
  conflict: 'Somebody else changed this at the same moment',
  invalid_trigger: 'The trigger is not valid',
  invalid_connector: 'This cannot be stored',
  too_many_triggers: 'There are too many triggers',
  too_many_pauses: 'It was paused too often',
  outcome_unknown: 'It is not known whether this was done',
  idempotency_in_progress: 'This is still under way',
  body_too_large: 'This is too large',
  mail_too_large: 'The mail is too large',
  attachment_too_large: 'The attachment is too large',
  answer_too_large: 'The answer is too large',
  message_unreadable: 'This message cannot be shown',
};

/** What to do where the API's detail does not say it. */
const HINTS: Record<string, string> = {
  role_not_allowed: 'Ask whoever manages your account for another role.',
  unauthorized: 'Sign out, then sign in again. If that does not help, the console and the API are set up for different audiences.',
  conflict: 'Look at it again, then repeat your change.',
  outcome_unknown: 'Look into the mailbox before you try again.',
  needs_reauth: 'Open the mailbox under Connectors and reconnect it.',
};

export function sentence(problem: Problem): { title: string; text: string } {
  const wait = problem.retryAfter === undefined ? '' : ` Wait ${seconds(problem.retryAfter)}, then try again.`;
  const hint = HINTS[problem.code] ? ` ${HINTS[problem.code]}` : '';
  return { title: TITLES[problem.code] ?? titleOf(problem.status), text: `${spoken(problem.detail)}${hint}${wait}` };
}

/** The codes that have a title of their own. */
export function titled(): string[] {
  return Object.keys(TITLES);
}

/** The API's details begin small and end without a dot. */
export function spoken(detail: string): string {
  const begun = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

function titleOf(status: number): string {
  if (status === 0) return 'Something unexpected happened';
  if (status === 403) return 'This is not allowed';
  if (status === 404) return 'There is no such thing';
  if (status === 409) return 'This is not possible at the moment';
  if (status === 429) return 'Too many requests';
  if (status < 500) return 'The request is not valid';
  if (status === 503) return 'Something does not answer';
  return 'Something failed';
}

export function seconds(count: number): string {
  if (count < 90) return count === 1 ? 'a second' : `${count} seconds`;
  return `${Math.round(count / 60)} minutes`;
}
