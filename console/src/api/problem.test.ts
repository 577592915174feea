import { ApiProblem, ApiUnreachable } from 'email-connectors-client';
import { describe, expect, test } from 'vitest';
import { PROBLEM_CODES } from 'email-connectors-client';
import { every, pause } from './polling';
import { asProblem, faultAt, hasCode } from './problem';
import { seconds, sentence, titled } from './sentence';

const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers: new Headers(headers) });
const problem = (code: string, status: number, detail: string, headers = {}) => new ApiProblem({ code, detail }, answer(status, headers));

describe('whatever is thrown becomes a problem', () => {
  test.each([
    ['a problem', problem('needs_reauth', 409, 'connect again'), 409, 'needs_reauth'],
    ['no answer', new ApiUnreachable('the API cannot be reached', null), 0, 'unreachable'],
    ['a fetch that failed', new TypeError('Failed to fetch'), 0, 'unreachable'],
    ['an error of the page', new Error('broken'), 0, 'unexpected'],
    ['no error at all', 'broken', 0, 'unexpected'],
  ])('%s', (_case, thrown, status, code) => {
    expect(asProblem(thrown)).toMatchObject({ status, code });
    expect(hasCode(thrown, code)).toBe(true);
  });

  test('the request id is the gateway’s', () => {
    expect(asProblem(problem('conflict', 409, 'x', { 'apigw-requestid': 'Xk2=' })).requestId).toBe('Xk2=');
  });

  test('a fault stands at its field', () => {
    const invalid = new ApiProblem({ code: 'invalid_trigger', detail: 'no words', field: 'config.filters.query' }, answer(400));
    expect(faultAt(invalid, 'config.filters.query')).toBe('no words');
    expect(faultAt(invalid, 'config')).toBeUndefined();
    expect(faultAt(null, 'config')).toBeUndefined();
  });
});

describe('a problem becomes a sentence', () => {
  test.each([
    [problem('role_not_allowed', 403, 'the role does not allow this'), 'Your role does not allow this', 'The role does not allow this. Ask whoever manages your account for another role.'],
    [problem('circuit_open', 503, 'it rests', { 'retry-after': '40' }), 'The mail provider failed repeatedly', 'It rests. Wait 40 seconds, then try again.'],
    [problem('unknown_code_of_tomorrow', 409, 'It is so.'), 'This is not possible at the moment', 'It is so.'],
    [problem('unknown_code_of_tomorrow', 500, 'an error'), 'Something failed', 'An error.'],
    [problem('unknown', 403, 'Forbidden'), 'This is not allowed', 'Forbidden.'],
    [new Error('broken'), 'Something unexpected happened', 'Broken.'],
  ])('%s', (thrown, title, text) => {
    expect(sentence(asProblem(thrown))).toEqual({ title, text });
  });

  test('every code with a title is one that the API knows', () => {
    const ours = ['unreachable'];
    expect(titled().filter((code) => !ours.includes(code) && !(PROBLEM_CODES as readonly string[]).includes(code))).toEqual([]);
  });

  test.each([
    [1, 'a second'],
    [40, '40 seconds'],
    [120, '2 minutes'],
  ])('%d seconds are %s', (count, words) => {
    expect(seconds(count)).toBe(words);
  });
});

test.each([
  [0, 4_000],
  [4_100, 4_100],
  [30_000, 30_000],
  [3_600_000, 60_000],
])('what has failed for %d ms is asked again in %d', (failingFor, wait) => {
  expect(pause(failingFor)).toBe(wait);
});

test.each([
  [null, 4_000],
  [problem('unavailable', 503, 'x'), 8_000],
  [problem('not_found', 404, 'x'), false],
  [problem('role_not_allowed', 403, 'x'), false],
])('after %s a view looks again in %s', (error, wait) => {
  const state = { error, dataUpdatedAt: 0, errorUpdatedAt: 1, errorUpdateCount: 1 };
  expect(every()({ state } as Parameters<ReturnType<typeof every>>[0])).toBe(wait);
});
