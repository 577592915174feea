// The running local stack that STACK_JSON names, or why there is none.

import { readFileSync } from 'node:fs';
import { createClient } from '../src/index.js';

export interface Stack {
  api_url: string;
  google_url: string;
  mint_user_token: { method: string; url: string; body: object };
}

const file = process.env['STACK_JSON'];
export const stack = file ? (JSON.parse(readFileSync(file, 'utf8')) as Stack) : undefined;

/** What a test says that needs a stack where there is none. */
export const skipped = stack ? false : 'not done: STACK_JSON names no running local stack';
if (!stack) console.error(skipped);

/** A client of the stack, of an owner of this test's own. */
export async function signedIn({ mint_user_token: mint, api_url }: Stack, sub: string) {
  const { token } = await sent(mint.method, mint.url, { ...mint.body, sub });
  return {
    token,
    client: createClient({ baseUrl: api_url, token: () => token, headers: { origin: 'https://app.example.com' } }),
  };
}

/** A call of the fake Google's admin API. */
export async function sent(method: string, url: string, body?: object, also: number[] = []) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!answer.ok && !also.includes(answer.status))
    throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return JSON.parse((await answer.text()) || '{}');
}
