import { ApiProblem, ApiUnreachable } from 'email-connectors-client';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { failure, refusal } from './outcome';

const problem = (code: string, status: number, headers: Record<string, string> = {}) =>
  new ApiProblem({ code, detail: 'said by the API' }, { status, headers: new Headers(headers) });

describe('what the provider sends back', () => {
  test.each([
    [{ error: 'access_denied' }, 'access_denied', ['again', 'administrator']],
    [{ error: 'access_denied', description: 'AADSTS65004: User declined.' }, 'access_denied', ['again', 'administrator']],
    [{ error: 'access_denied', description: 'AADSTS90094: An administrator…' }, 'admin_consent_required', ['administrator', 'again']],
    [{ error: 'consent_required', description: 'AADSTS90094: An administrator…' }, 'admin_consent_required', ['administrator', 'again']],
    [{ error: 'access_denied', description: 'AADSTS53003: Blocked.' }, 'conditional_access', ['again']],
    [{ error: 'admin_policy_enforced' }, 'admin_policy_enforced', ['again']],
    [{ error: 'access_denied', subtype: 'org_internal' }, 'org_internal', ['again']],
    [{ error: 'access_denied', subtype: 'unheard_of' }, 'access_denied', ['again', 'administrator']],
    [{ error: 'invalid_scope' }, 'invalid_scope', []],
    [{ error: 'unheard_of', description: 'Of tomorrow.' }, 'unheard_of', ['again']],
    [{}, 'no_code', ['again']],
  ])('%o', (returned, code, ways) => {
    const outcome = refusal({ state: 's', ...returned });
    expect(outcome).toMatchObject({ code, ways });
    expect(outcome.title).not.toBe('');
    expect(outcome.text).toMatch(/[.]$/);
  });
});

describe('what the API says of it', () => {
  test.each([
    ['missing_scopes', 400, ['again']],
    ['account_mismatch', 409, ['again', 'replace']],
    ['mailbox_closing', 409, ['again']],
    ['events_pending', 409, ['again']],
    ['consent_again', 502, ['again']],
    ['invalid_grant', 400, ['again']],
    ['unknown_state', 400, ['again']],
    ['no_refresh_token', 400, ['again']],
    ['forbidden', 403, []],
    ['admin_consent_required', 403, ['administrator', 'again']],
    ['microsoft_refused', 400, ['again']],
    ['microsoft_unavailable', 503, ['resend', 'again']],
    ['provider_not_configured', 404, []],
    ['role_not_allowed', 403, []],
    ['google_unavailable', 503, ['resend', 'again']],
    ['unavailable', 503, ['resend', 'again']],
    ['too_many_requests', 429, ['resend', 'again']],
    ['code_of_tomorrow', 400, ['again']],
  ])('%s', (code, status, ways) => {
    const outcome = failure(problem(code, status, { 'apigw-requestid': 'Xk2=' }));
    expect(outcome).toMatchObject({ code, ways, requestId: 'Xk2=' });
    expect(outcome.text).toMatch(/[.]$/);
  });

  test('only a code that was not used is sent again', () => {
    expect(failure(problem('consent_again', 502)).ways).not.toContain('resend');
    expect(failure(new ApiUnreachable('no answer', null)).ways).toContain('resend');
  });

  test('it says how long to wait', () => {
    expect(failure(problem('google_unavailable', 503, { 'retry-after': '5' })).text).toContain('5 seconds');
  });

  test('every code that docs/frontend.md names has its own sentence', () => {
    const told = readFileSync(`${import.meta.dirname}/../../../docs/frontend.md`, 'utf8');
    const codes = [...told.matchAll(/^\| (\d{3}) (`[^|]+) \|/gm)].flatMap(([, status, list]) =>
      [...list!.matchAll(/`(\w+)`/g)].map(([, code]) => [code!, Number(status)] as const),
    );
    expect(codes.length).toBeGreaterThan(5);
    for (const [code, status] of codes) expect(failure(problem(code, status)).title, code).not.toBe('The mailbox was not connected');
  });
});
