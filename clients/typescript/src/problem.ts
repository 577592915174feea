// What can go wrong with a call: an answer that is a problem document (RFC 9457), or no answer.

import type { components } from './generated/api.js';
import type { PROBLEM_CODES } from './generated/codes.js';

export type KnownProblemCode = (typeof PROBLEM_CODES)[number];

/** A code of the API; `unknown` if the answer is no problem document, such as one of the gateway's. */
export type ProblemCode = KnownProblemCode | 'unknown' | (string & {});

/** The problem document as it was sent. */
export type ProblemDocument = components['schemas']['Problem'];

/** The API refused, or could not do, what was asked. `message` is the sentence for people. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly title: string;
  /** What of the request is at fault, such as `config.filters.query`. */
  readonly field: string | undefined;
  /** The OAuth scope to connect again with. */
  readonly scope: string | undefined;
  /** The messages that were not read for an answer that is too large. */
  readonly unreadIds: readonly string[];
  /** After how many seconds the same request may succeed. */
  readonly retryAfter: number | undefined;
  /** By which the request is found in the API's access log. */
  readonly requestId: string | undefined;

  constructor(body: unknown, answer: Pick<Response, 'status' | 'headers'>) {
    const document = documentIn(body);
    const detail = document.detail || `the API answered ${answer.status}`;
    super(detail);
    this.detail = detail;
    this.status = answer.status;
    this.code = document.code || 'unknown';
    this.title = document.title ?? '';
    this.field = document.field ?? undefined;
    this.scope = document.scope ?? undefined;
    this.unreadIds = document.unread_ids ?? [];
    this.retryAfter = secondsOf(answer.headers.get('retry-after'));
    this.requestId = requestIdOf(answer);
  }

  /** Reads any answer that is no success. */
  static async of(answer: Response): Promise<ApiProblem> {
    const body: unknown = await answer.json().catch(() => undefined);
    return new ApiProblem(body, answer);
  }

  /** Whether it has this code, or one of these. */
  is(...codes: KnownProblemCode[]): boolean {
    return (codes as string[]).includes(this.code);
  }
}

/** No answer came: no connection, or none within the time. Whether the request was done is unknown. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

export function requestIdOf(answer: Pick<Response, 'headers'>): string | undefined {
  return answer.headers.get('apigw-requestid') ?? undefined;
}

/** `Retry-After` in seconds; the API sends no dates. */
function secondsOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

/** What the body has of a problem document. The gateway's own answers have a `message` alone. */
function documentIn(body: unknown): Partial<ProblemDocument> {
  if (typeof body !== 'object' || body === null) return {};
  const read = body as Record<string, unknown>;
  const word = (name: string) => (typeof read[name] === 'string' ? read[name] : undefined);
  const present = Object.entries({
    code: word('code'),
    detail: word('detail') ?? word('message'),
    title: word('title'),
    field: word('field'),
    scope: word('scope'),
  }).filter(([, value]) => value !== undefined);
  const ids = read['unread_ids'];
  const unread_ids = Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  return { ...Object.fromEntries(present), unread_ids };
}
