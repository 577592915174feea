import { expect, test } from 'vitest';
import { lifetimeOf, tokenFor } from './token';

const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const jwt = (claims: unknown) => `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;

const forApi = jwt({ aud: 'api' });
const forSeveral = jwt({ aud: ['userinfo', 'api'] });
const forOther = jwt({ aud: 'other' });
const idToken = jwt({ aud: 'client' });

test.each([
  ['an access token for the audience', forApi, idToken, forApi],
  ['an access token for several audiences', forSeveral, idToken, forSeveral],
  ['an access token for another audience', forOther, idToken, idToken],
  ['an access token without an audience (Cognito)', jwt({ client_id: 'client' }), idToken, idToken],
  ['an opaque access token (Google, Auth0 without an audience)', 'ya29.opaque', idToken, idToken],
  ['an access token of three parts that is no JWT', 'a.b.c', idToken, idToken],
  ['an audience that only contains the name', jwt({ aud: 'api-2' }), idToken, idToken],
  ['no id token', 'opaque', undefined, 'opaque'],
  ['nothing', undefined, undefined, undefined],
])('%s', (_case, access_token, id_token, sent) => {
  expect(tokenFor({ access_token, id_token }, 'api')).toBe(sent);
});

test.each([
  [{ iat: 1_700_000_000, exp: 1_700_003_600 }, 3600],
  [{ exp: 1_700_003_600 }, undefined],
  [{ iat: 'then', exp: 'soon' }, undefined],
  [{ iat: 5, exp: 5 }, undefined],
  [['no', 'object'], undefined],
])('%o lasts %s seconds', (claims, seconds) => {
  expect(lifetimeOf(jwt(claims))).toBe(seconds);
});
