// What went wrong, as views show it. The client throws a problem of the API, or that it was not reached.
import { ApiProblem, ApiUnreachable } from 'email-connectors-client';

export type Problem = {
  status: number;
  code: string;
  detail: string;
  /** The part of the request at fault, as the API names it: `config.filters.query`. */
  field?: string | undefined;
  requestId?: string | undefined;
  /** Seconds. */
  retryAfter?: number | undefined;
};

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof ApiUnreachable || error instanceof TypeError) {
    return { status: 0, code: 'unreachable', detail: 'No answer came. Check your connection, then try again.' };
  }
  return { status: 0, code: 'unexpected', detail: error instanceof Error ? error.message : String(error) };
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(asProblem(error).code);
}

/** What the API says of one field of a form, to be shown beside it. */
export function faultAt(error: unknown, ...fields: string[]): string | undefined {
  const { field, detail } = asProblem(error);
  return field !== undefined && fields.includes(field) ? detail : undefined;
}
