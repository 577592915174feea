import { describe, expect, test, vi } from 'vitest';
import { takeToken, tokenIn } from './fragment';
import { leaving, tell } from './opener';

describe('the session’s token in the fragment', () => {
  test.each([
    ['#session=cst_YWRh.Ab-9_z', 'cst_YWRh.Ab-9_z'],
    ['#a=b&session=cst_YQ.1', 'cst_YQ.1'],
    ['#session=cst_1', null],
    ['#session=', null],
    ['#session=eyJhbGciOi', null],
    ['#session=cst_%3Cscript%3E', null],
    ['#cst_1', null],
    ['', null],
  ])('%s', (hash, token) => {
    expect(tokenIn(hash)).toBe(token);
  });

  test('is removed from the address at once, and known on', () => {
    history.replaceState(null, '', '/console/connect#session=cst_YQ.1');
    expect(takeToken()).toBe('cst_YQ.1');
    expect(location.hash).toBe('');
    expect(takeToken()).toBe('cst_YQ.1');
  });
});

describe('what the opener hears', () => {
  const connected = { type: 'email-connectors:connected', connector_id: 'con_1', email_address: 'ada@example.com' } as const;

  test('at the session’s origin only', () => {
    const postMessage = vi.fn();
    expect(tell(connected, 'https://app.example.com', { postMessage })).toBe(true);
    expect(postMessage.mock.calls).toEqual([[connected, 'https://app.example.com']]);
  });

  test('nothing, where there is none', () => {
    expect(tell(connected, 'https://app.example.com', null)).toBe(false);
  });

  test('a person who leaves cancelled, unless something failed before', () => {
    expect(leaving(null)).toEqual({ type: 'email-connectors:cancelled' });
    expect(leaving('missing_scopes')).toEqual({ type: 'email-connectors:failed', code: 'missing_scopes' });
  });
});
