// What can become of a consent, in a sentence, and the ways on from there.
import { asProblem } from '../api/problem';
import { seconds, spoken } from '../api/sentence';
import type { Returned } from './returned';

/**
 * `again`: ask for consent again. `replace`: the same, and disconnect the connected account first.
 * `resend`: send the same code once more, which was not used. `open`: continue in this tab.
 * `administrator`: have the app allowed for the whole organisation, where the provider knows that.
 */
export type Way = 'again' | 'replace' | 'resend' | 'open' | 'administrator';

export type Outcome = {
  title: string;
  text: string;
  ways: Way[];
  /** The API's or the provider's word, for whoever asks for help. */
  code: string;
  requestId?: string | undefined;
};

const ADMINISTRATOR = 'Ask the administrator of your organisation to allow this app, then try again.';

const NEEDS_ADMINISTRATOR: Omit<Outcome, 'code'> = {
  title: 'Only an administrator can allow this app',
  text: 'Your organisation wants an administrator to allow it first, once for everybody.',
  ways: ['administrator', 'again'],
};

/** The provider said no, in the answer that it sent back (RFC 6749, and the providers' own words). */
const REFUSALS: Record<string, Omit<Outcome, 'code'>> = {
  access_denied: {
    title: 'You did not allow access',
    text: 'Nothing was connected. Ask again if that was not what you wanted.',
    ways: ['again', 'administrator'],
  },
  admin_consent_required: NEEDS_ADMINISTRATOR,
  conditional_access: { title: 'A policy of your organisation does not let this app in', text: ADMINISTRATOR, ways: ['again'] },
  admin_policy_enforced: { title: 'Your administrator does not allow this app', text: ADMINISTRATOR, ways: ['again'] },
  org_internal: {
    title: 'This app is for one organisation only',
    text: 'Choose an account of that organisation, or ask who runs this app to open it for others.',
    ways: ['again'],
  },
  consent_required: { title: 'The consent is still missing', text: 'Ask again, and allow the access on the page that opens.', ways: ['again'] },
  interaction_required: { title: 'The consent is still missing', text: 'Ask again, and allow the access on the page that opens.', ways: ['again'] },
  invalid_scope: {
    title: 'The provider does not know a permission that was asked for',
    text: 'Tell whoever runs this app: the scopes that it asks for have to be corrected.',
    ways: [],
  },
  server_error: { title: 'The provider failed', text: 'Try again in a minute.', ways: ['again'] },
  temporarily_unavailable: { title: 'The provider does not answer', text: 'Try again in a minute.', ways: ['again'] },
};

/** What the number says that Microsoft's descriptions begin with, where `error` says less. */
const NUMBERED: Record<string, string> = {
  AADSTS90093: 'admin_consent_required',
  AADSTS90094: 'admin_consent_required',
  AADSTS90095: 'admin_consent_required',
  AADSTS53000: 'conditional_access',
  AADSTS53001: 'conditional_access',
  AADSTS53002: 'conditional_access',
  AADSTS53003: 'conditional_access',
};

export function refusal(returned: Returned): Outcome {
  // Some say the reason in more detail beside `access_denied`.
  const numbered = NUMBERED[/^AADSTS\d+/.exec(returned.description ?? '')?.[0] ?? ''];
  const code = [numbered, returned.subtype, returned.error].find((word) => word && word in REFUSALS) ?? returned.error ?? 'no_code';
  const known = REFUSALS[code] ?? {
    title: 'The provider refused',
    text: returned.description ?? 'It did not say why. Try again, or choose another account.',
    ways: ['again' as const],
  };
  return { ...known, code };
}

export const CLOSED: Outcome = {
  title: 'The window was closed',
  text:
    'Nothing was connected. Ask again and answer the question in the window. If it said that the app is blocked or not verified, ' +
    'the administrator of your organisation has to allow it.',
  ways: ['again', 'administrator'],
  code: 'popup_closed',
};

export const BLOCKED: Outcome = {
  title: 'Your browser blocked the window',
  text: 'Continue in this tab, or allow popups for this page and ask again.',
  ways: ['open', 'again'],
  code: 'popup_blocked',
};

type Told = { title: string; text?: string; ways: Way[] };

/** The API refused what the provider answered. */
const PROBLEMS: Record<string, Told> = {
  missing_scopes: {
    title: 'A permission is missing',
    text: 'Every permission on the list is needed. Ask again, allow all of it, and tick every box that there is.',
    ways: ['again'],
  },
  account_mismatch: {
    title: 'Another account is connected already',
    text: 'Ask again and choose the account that is connected, or replace it by the one that you chose.',
    ways: ['again', 'replace'],
  },
  mailbox_closing: { title: 'This mailbox is being disconnected just now', text: 'That takes a minute. Ask again then.', ways: ['again'] },
  events_pending: {
    title: 'Events of this mailbox wait to be published',
    text: 'Its address changed, and what fired under the old one goes out first. Ask again in a minute.',
    ways: ['again'],
  },
  consent_again: { title: 'Something failed after the consent', text: 'Nothing was connected. The consent is good once: ask again.', ways: ['again'] },
  invalid_grant: { title: 'The consent is too old', text: 'It is good once and for a few minutes. Ask again.', ways: ['again'] },
  unknown_state: { title: 'The consent is too old', text: 'It is good once and for ten minutes. Ask again.', ways: ['again'] },
  no_refresh_token: {
    title: 'The provider gave no lasting access',
    text: 'Remove this app in the settings of your account at the provider, under its connected apps. Then ask again.',
    ways: ['again'],
  },
  invalid_identity: { title: 'The account could not be identified', ways: ['again'] },
  google_refused: { title: 'The provider refused', ways: ['again'] },
  microsoft_refused: { title: 'The provider refused', ways: ['again'] },
  admin_consent_required: NEEDS_ADMINISTRATOR,
  provider_not_configured: {
    title: 'This provider is not set up here',
    text: 'Tell whoever runs this app: it offers a provider that it cannot reach.',
    ways: [],
  },
  role_not_allowed: { title: 'Your role does not allow this', ways: [] },
  forbidden: {
    title: 'This page may not connect mailboxes',
    text: 'Tell whoever runs this app: the address of this page is not among the allowed origins.',
    ways: [],
  },
};

export function failure(error: unknown): Outcome {
  const problem = asProblem(error);
  const { code, requestId } = problem;
  const told = PROBLEMS[code];
  if (told) return { title: told.title, text: told.text ?? spoken(problem.detail), ways: told.ways, code, requestId };
  if (problem.status === 503 || problem.status === 429) {
    const wait = problem.retryAfter === undefined ? 'a moment' : seconds(problem.retryAfter);
    const text = `Your consent is kept for some minutes. Wait ${wait}, then try again.`;
    return { title: 'Something that this needs does not answer', text, ways: ['resend', 'again'], code, requestId };
  }
  if (code === 'unreachable') {
    return {
      title: 'No answer came',
      text: 'Check your connection, then try again: the same request is never done twice.',
      ways: ['resend', 'again'],
      code,
    };
  }
  return { title: 'The mailbox was not connected', text: spoken(problem.detail), ways: ['again'], code, requestId };
}
