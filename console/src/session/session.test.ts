import { beforeEach, describe, expect, test, vi } from 'vitest';
import { isSignedInHere, rememberSignedIn } from './known';
import { Session } from './session';

type Reply = { sub: string; token: string; lasts: number } | 'login_required';

/** An issuer that answers what it is told to, in place of the library that asks it. */
const issuer = vi.hoisted(() => ({ silent: [] as unknown[], popup: [] as unknown[], asked: 0 }));

vi.mock('oidc-client-ts', () => {
  const reply = async (queue: unknown[]) => {
    const next = queue.shift() as Reply | undefined;
    if (!next || next === 'login_required') throw new Error('login_required');
    const part = (value: unknown) => btoa(JSON.stringify(value));
    // The issuer's clock is not this machine's.
    const token = `${part({})}.${part({ aud: 'api', iat: 1000, exp: 1000 + next.lasts, jti: next.token })}.sig`;
    return { access_token: token, expires_in: next.lasts, profile: { sub: next.sub, name: next.sub } };
  };
  class UserManager {
    signinSilent() {
      issuer.asked += 1;
      return reply(issuer.silent);
    }
    signinPopup() {
      return reply(issuer.popup);
    }
    async signoutRedirect() {}
  }
  return { UserManager, InMemoryWebStorage: vi.fn(), WebStorageStateStore: vi.fn() };
});

const config = { issuer: 'https://issuer.example', client_id: 'console', scope: 'openid', audience: 'api', resource: null, version: '' };
const jti = (token: string) => (JSON.parse(atob(token.split('.')[1]!)) as { jti: string }).jti;
const ada = (token: string, lasts = 3600) => ({ sub: 'ada', token, lasts });

async function signedIn(...silent: Reply[]) {
  rememberSignedIn(true);
  return started(...silent);
}

async function started(...silent: Reply[]) {
  issuer.silent = silent;
  const left: string[] = [];
  const session = new Session(config, (url) => left.push(url));
  await session.start();
  return { session, left };
}

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
  issuer.asked = 0;
  return () => vi.useRealTimers();
});

describe('at the start', () => {
  test('whoever is signed in at the issuer is signed in here', async () => {
    const { session } = await signedIn(ada('first'));
    expect(session.state).toEqual({ is: 'signed-in', person: { name: 'ada' } });
  });

  test('everybody else is asked, and the next time at once', async () => {
    const { session } = await signedIn('login_required');
    expect(session.state).toEqual({ is: 'signed-out' });
    expect((await started(ada('first'))).session.state).toEqual({ is: 'signed-out' });
    expect(issuer.asked).toBe(1);
  });

  test('the issuer hears nothing of a first visit', async () => {
    const { session } = await started(ada('first'));
    expect(session.state).toEqual({ is: 'signed-out' });
    expect(issuer.asked).toBe(0);
  });

  test('who signs in is remembered, and who signs out is not', async () => {
    const { session } = await signedIn(ada('first'));
    expect(isSignedInHere()).toBe(true);
    await session.signOut();
    expect(isSignedInHere()).toBe(false);
  });
});

describe('a token', () => {
  test('is used until it is about to end, and then renewed once for all who wait', async () => {
    const { session } = await signedIn(ada('first'), ada('second'));
    vi.advanceTimersByTime(3_570_000);
    expect(jti(await session.token())).toBe('first');
    vi.advanceTimersByTime(15_000);
    const both = await Promise.all([session.token(), session.token()]);
    expect(both.map(jti)).toEqual(['second', 'second']);
    expect(issuer.asked).toBe(2);
  });

  test('of a few seconds is used, and does not have the issuer asked without end', async () => {
    const { session } = await signedIn(ada('first', 4));
    expect(jti(await session.token())).toBe('first');
    expect(issuer.asked).toBe(1);
  });

  test('that the API refused is renewed', async () => {
    const { session } = await signedIn(ada('first'), ada('second'));
    session.refuse();
    expect(jti(await session.token())).toBe('second');
  });
});

describe('a session that ended', () => {
  test('is told, and what waits goes on after the sign-in', async () => {
    const { session } = await signedIn(ada('first'), 'login_required');
    session.refuse();
    const waiting = session.token();
    await vi.waitFor(() => expect(session.state.is).toBe('ended'));
    issuer.popup = [ada('second')];
    await session.signInAgain();
    expect(session.state.is).toBe('signed-in');
    expect(jti(await waiting)).toBe('second');
  });

  test.each(['silent', 'popup'] as const)('is not continued by another person: %s', async (way) => {
    const other = { sub: 'bo', token: 'other', lasts: 3600 };
    const { session, left } = await signedIn(ada('first'), way === 'silent' ? other : 'login_required');
    issuer.popup = [other];
    session.refuse();
    let sent = false;
    void session.token().then(() => {
      sent = true;
    });
    if (way === 'popup') {
      await vi.waitFor(() => expect(session.state.is).toBe('ended'));
      await session.signInAgain();
    }
    await vi.waitFor(() => expect(left).toEqual(['http://localhost:3000']));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toBe(false);
  });
});
