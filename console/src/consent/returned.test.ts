import { afterEach, describe, expect, test } from 'vitest';
import { pendingOf } from './redirect';
import { handOver, listen, providerAt, returnedOf, type Returned } from './returned';

test.each<[string, Returned | null]>([
  ['?state=s&code=c&scope=a%20b', { state: 's', code: 'c' }],
  ['?error=access_denied&state=s', { state: 's', error: 'access_denied' }],
  ['?error=access_denied&error_subtype=org_internal&error_description=No&state=s', { state: 's', error: 'access_denied', subtype: 'org_internal', description: 'No' }],
  ['?admin_consent=True&tenant=t&state=s', { state: 's', ofAdministrator: true }],
  ['?error=access_denied&admin_consent=True&state=s', { state: 's', error: 'access_denied', ofAdministrator: true }],
  ['?error=permission_denied&state=s', { state: 's', error: 'permission_denied', ofAdministrator: true }],
  ['?code=c', null],
  ['?state=&code=c', null],
  ['', null],
])('%s', (search, returned) => {
  expect(returnedOf(search)).toEqual(returned);
});

test('the address of the callback tells the provider’s house', () => {
  const providers = [{ connect: '/api/auth/google/gmail' }, { connect: '/api/auth/microsoft/outlook' }];
  expect(providerAt(providers, '/auth/microsoft/callback')).toBe(providers[1]);
  expect(providerAt(providers, '/auth/elsewhere/callback')).toBeUndefined();
});

describe('from the callback page to the page that asked', () => {
  let end = () => {};
  afterEach(() => end());

  test('the page with this state takes it', async () => {
    const heard: Returned[] = [];
    end = listen('s', (returned) => heard.push(returned));
    expect(await handOver({ state: 's', code: 'c' }, 1_000)).toBe(true);
    expect(heard).toEqual([{ state: 's', code: 'c' }]);
  });

  test('another page does not', async () => {
    const heard: Returned[] = [];
    end = listen('other', (returned) => heard.push(returned));
    expect(await handOver({ state: 's', code: 'c' }, 50)).toBe(false);
    expect(heard).toEqual([]);
  });
});

describe('what is remembered in this tab', () => {
  const pending = { state: 's', connect: '/api/auth/google/gmail', replace: false };

  test('is given for its state once, and removed', () => {
    sessionStorage.setItem('email-connectors.consent', JSON.stringify(pending));
    expect(pendingOf('s')).toEqual(pending);
    expect(pendingOf('s')).toBeNull();
  });

  test.each(['{"state":"other"}', 'null', 'no json'])('is not given for another state, and removed all the same: %s', (text) => {
    sessionStorage.setItem('email-connectors.consent', text);
    expect(pendingOf('s')).toBeNull();
    expect(sessionStorage.length).toBe(0);
  });
});
