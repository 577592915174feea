// One call: its URL, its token, its repetitions, and its answer or problem.

import type { operations } from './generated/api.js';
import { routes } from './generated/routes.js';
import { ApiProblem, ApiUnreachable, requestIdOf } from './problem.js';
import { pause } from './wait.js';

export interface ClientOptions {
  /** The stack's output `ApiUrl`: what stands before `/api`. */
  baseUrl: string;
  /** The user's token, asked for at each call; without one only `system` answers. */
  token?: () => string | null | undefined | Promise<string | null | undefined>;
  /**
   * Called at a 401, once for all calls that wait. If it resolves to true (the user has signed in
   * again), they are sent once more: what is answered 401 was not done.
   */
  unauthorized?: (problem: ApiProblem) => Promise<boolean>;
  /** Told after each answer, for a log or a measurement. */
  answered?: (answer: Answered) => void;
  fetch?: typeof globalThis.fetch;
  /** Headers of every call. */
  headers?: Record<string, string>;
  /** How often a read is sent at most. Default 3. */
  attempts?: number;
  /** The longest pause before a read is repeated, in milliseconds. A longer `Retry-After` is a problem. Default 10,000. */
  longestPause?: number;
  /** How long to wait for an answer, in milliseconds. The API itself ends after 30,000. Default 35,000. */
  timeout?: number;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface WriteOptions extends CallOptions {
  /** Makes repeating safe: the same key, answered again and done once. */
  idempotencyKey?: string | undefined;
}

export interface Answered {
  operation: Operation;
  status: number;
  milliseconds: number;
  /** What it cost of Gmail's quota. */
  quotaUnits: number | undefined;
  requestId: string | undefined;
}

export type Operation = keyof typeof routes;

type Success = 200 | 201 | 202 | 204;
type BodyIn<R> = R extends { content: { 'application/json': infer Body } } ? Body : undefined;

/** What an operation answers. */
export type Answer<K extends Operation> = {
  [S in keyof operations[K]['responses'] & Success]: BodyIn<operations[K]['responses'][S]>;
}[keyof operations[K]['responses'] & Success];

/** What an operation can be asked in the URL. */
export type Query<K extends Operation> = operations[K] extends { parameters: { query?: infer Q } }
  ? NonNullable<Q>
  : never;

/** What an operation takes as its body. */
export type BodyOf<K extends Operation> = operations[K] extends {
  requestBody: { content: { 'application/json': infer Body } };
}
  ? Body
  : never;

export interface Request {
  /** The ids of the path, in its order. */
  path?: readonly string[];
  query?: object | undefined;
  body?: unknown;
  headers?: Record<string, string | undefined>;
  /** Another path than the operation's own. */
  route?: string | undefined;
  /** A status that is an answer too, and no problem. */
  also?: number;
}

/** How many answers are remembered by their ETag. */
const REMEMBERED = 200;

export class Transport {
  readonly #options: ClientOptions;
  readonly #base: string;
  readonly #remembered = new Map<string, { etag: string; body: unknown }>();
  #signingIn: Promise<boolean> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#base = options.baseUrl.replace(/\/+$/, '');
  }

  /** Calls and reads the answer as JSON. An answer that did not change is the same object again. */
  async call<K extends Operation>(
    operation: K,
    request: Request = {},
    options: CallOptions = {},
  ): Promise<Answer<K>> {
    const url = this.#url(operation, request);
    const known = routes[operation][0] === 'GET' ? this.#remembered.get(url) : undefined;
    const headers = { accept: 'application/json', 'if-none-match': known?.etag, ...request.headers };
    const answer = await this.#sent(operation, url, { ...request, headers }, options);
    if (answer.status === 304 && known) return known.body as Answer<K>;
    if (answer.status === 204) return undefined as Answer<K>;
    const body = await read(answer, () => answer.json(), options);
    const etag = answer.headers.get('etag');
    if (routes[operation][0] === 'GET') this.#remember(url, etag, body);
    return body as Answer<K>;
  }

  /** Calls and leaves the answer's body to the caller. */
  raw(operation: Operation, request: Request, options: CallOptions = {}): Promise<Response> {
    return this.#sent(operation, this.#url(operation, request), request, options);
  }

  /** Forgets all answers, as when another user signs in. */
  forget(): void {
    this.#remembered.clear();
  }

  async put(url: string, headers: Record<string, string>, body: Blob, signal?: AbortSignal): Promise<Response> {
    return this.#fetched(url, { method: 'PUT', headers, body }, signal);
  }

  #url(operation: Operation, { path = [], query = {}, route }: Request): string {
    let next = 0;
    const filled = (route ?? routes[operation][1]).replace(/\{[a-z_]+\}/g, () => segment(path[next++]));
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null)
        search.set(name, Array.isArray(value) ? value.join(',') : String(value));
    }
    return `${this.#base}${filled}${search.size > 0 ? `?${search}` : ''}`;
  }

  async #sent(operation: Operation, url: string, request: Request, options: CallOptions): Promise<Response> {
    const method = routes[operation][0];
    const repeatable = method === 'GET';
    const attempts = repeatable ? (this.#options.attempts ?? 3) : 1;
    let signedIn = false;
    for (let attempt = 1; ; attempt += 1) {
      const failure = await this.#once(operation, method, url, request, options);
      if (failure instanceof Response) return failure;
      if (failure instanceof ApiProblem && failure.status === 401 && !signedIn && (await this.#signIn(failure))) {
        signedIn = true;
        attempt -= 1;
        continue;
      }
      const wait = attempt < attempts ? this.#pauseAfter(failure, attempt) : undefined;
      if (wait === undefined) throw failure;
      await pause(wait, options.signal);
    }
  }

  async #once(
    operation: Operation,
    method: string,
    url: string,
    request: Request,
    options: CallOptions,
  ): Promise<Response | ApiProblem | ApiUnreachable> {
    const began = performance.now();
    const init: RequestInit = {
      method,
      headers: await this.#headers(request),
      redirect: 'error',
      credentials: 'omit',
    };
    if (request.body !== undefined) init.body = JSON.stringify(request.body);
    let answer: Response;
    try {
      answer = await this.#fetched(url, init, options.signal);
    } catch (error) {
      if (error instanceof ApiUnreachable) return error;
      throw error;
    }
    const units = answer.headers.get('x-quota-units');
    this.#options.answered?.({
      operation,
      status: answer.status,
      milliseconds: performance.now() - began,
      quotaUnits: units === null ? undefined : Number(units),
      requestId: requestIdOf(answer),
    });
    const answered = answer.ok || answer.status === 304 || answer.status === request.also;
    return answered ? answer : ApiProblem.of(answer);
  }

  async #headers(request: Request): Promise<Headers> {
    const headers = new Headers(this.#options.headers);
    const token = await this.#options.token?.();
    if (token) headers.set('authorization', `Bearer ${token}`);
    if (request.body !== undefined) headers.set('content-type', 'application/json');
    for (const [name, value] of Object.entries(request.headers ?? {})) {
      if (value !== undefined) headers.set(name, value);
    }
    return headers;
  }

  /** fetch with a time limit. What the caller aborts is thrown as the caller's reason. */
  async #fetched(url: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(this.#options.timeout ?? 35_000);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const send = this.#options.fetch ?? globalThis.fetch;
    try {
      return await send(url, { ...init, signal: either });
    } catch (error) {
      signal?.throwIfAborted();
      const message = timeout.aborted ? 'the API did not answer in time' : 'the API cannot be reached';
      throw new ApiUnreachable(message, error);
    }
  }

  /** How long to wait before a read is repeated; undefined if it is not to be. */
  #pauseAfter(failure: ApiProblem | ApiUnreachable, attempt: number): number | undefined {
    const longest = this.#options.longestPause ?? 10_000;
    const backoff = Math.min(longest, 250 * 2 ** attempt * (0.5 + Math.random() / 2));
    if (failure instanceof ApiUnreachable) return backoff;
    const passes = [429, 502, 503, 504].includes(failure.status);
    if (!passes) return undefined;
    if (failure.retryAfter === undefined) return failure.status === 429 ? undefined : backoff;
    return failure.retryAfter * 1000 <= longest ? failure.retryAfter * 1000 : undefined;
  }

  #signIn(problem: ApiProblem): Promise<boolean> {
    const ask = this.#options.unauthorized;
    if (!ask) return Promise.resolve(false);
    this.#signingIn ??= ask(problem).finally(() => {
      this.#signingIn = undefined;
    });
    return this.#signingIn;
  }

  /** The oldest is forgotten first. */
  #remember(url: string, etag: string | null, body: unknown): void {
    this.#remembered.delete(url);
    if (etag === null) return;
    this.#remembered.set(url, { etag, body });
    const oldest = this.#remembered.keys().next();
    if (this.#remembered.size > REMEMBERED && !oldest.done) this.#remembered.delete(oldest.value);
  }
}

/** Reads an answer's body: it may be none that was promised, or break off in the middle. */
export async function read<T>(answer: Response, by: () => Promise<T>, { signal }: CallOptions): Promise<T> {
  try {
    return await by();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SyntaxError) throw new ApiProblem({ detail: 'the answer is not JSON' }, answer);
    throw new ApiUnreachable('the answer broke off', error);
  }
}

/** An id as a segment of a path. An empty one, `.` and `..` would be another route. */
function segment(id: string | undefined): string {
  if (id === undefined || id === '' || id === '.' || id === '..') throw new TypeError('an id of the path is empty');
  return encodeURIComponent(id);
}
