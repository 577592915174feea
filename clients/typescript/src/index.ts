// The client of email-connectors. README.md shows how it is used.

export { type Client, createClient } from './client.js';
export type { BusEvent, DetailType, EventDetails, FiredByMail, FiredByWebhook, TriggerFired } from './events.js';
export { isBusEvent } from './events.js';
export { PROBLEM_CODES } from './generated/codes.js';
export type { ConsentRoutes, OrganizationRoute } from './nouns/account.js';
export type { Downloaded } from './nouns/mail.js';
export { collect } from './pages.js';
export { poll, type PollOptions } from './poll.js';
export {
  ApiProblem,
  ApiUnreachable,
  type KnownProblemCode,
  type ProblemCode,
  type ProblemDocument,
} from './problem.js';
export { SIGNATURE_TOLERANCE, sign, verify } from './signature.js';
export type { Answer, Answered, CallOptions, ClientOptions, Operation, Query, WriteOptions } from './transport.js';
export type * from './types.js';
