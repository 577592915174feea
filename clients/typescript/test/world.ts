// A fetch that answers from a script, and records what was asked.

import { type ClientOptions, createClient } from '../src/index.js';

export interface Asked {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

/** One answer of the script: a problem if it has a code, an error if no answer comes. */
export interface Scripted {
  status?: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
  error?: Error;
}

export function world(script: Scripted[], options: Partial<ClientOptions> = {}) {
  const asked: Asked[] = [];
  const left = [...script];
  const fetch = async (input: string | URL | globalThis.Request, init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted();
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : init.body;
    asked.push({ method: init.method ?? 'GET', url: String(input), headers: new Headers(init.headers), body });
    const next = left.shift();
    if (!next) throw new Error(`nothing is scripted for ${init.method} ${input}`);
    if (next.error) throw next.error;
    const { status = 200, json, text, headers = {} } = next;
    const empty = status === 204 || status === 304;
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    return new Response(empty ? null : (text ?? JSON.stringify(json ?? {})), {
      status,
      headers: { 'content-type': type, ...headers },
    });
  };
  const client = createClient({
    baseUrl: 'https://api.example.com/',
    token: () => 'token',
    fetch,
    longestPause: 1_000,
    ...options,
  });
  return { client, asked, left };
}

export function problem(
  status: number,
  code: string,
  more: object = {},
  headers: Record<string, string> = {},
): Scripted {
  return {
    status,
    json: { type: 'about:blank', title: 'T', status, code, detail: `because of ${code}`, ...more },
    headers,
  };
}
