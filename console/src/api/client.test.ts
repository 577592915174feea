import { afterEach, expect, test, vi } from 'vitest';
import { answer } from '../../dev/mock';
import { createApi } from './client';

const sent: string[] = [];

/** The world for development, behind a gateway that knows one token. */
function gateway(good: string) {
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(new URL(String(input), 'http://localhost'), init);
    const token = request.headers.get('authorization') ?? '';
    sent.push(`${request.method} ${new URL(request.url).pathname} ${token}`);
    if (token !== `Bearer ${good}`) return new Response('{"code":"unauthorized","detail":"no"}', { status: 401 });
    return (await answer(request))!;
  });
}

afterEach(() => {
  vi.unstubAllGlobals();
  sent.length = 0;
});

test('what is refused with 401 is sent once more, when somebody is signed in again', async () => {
  gateway('new');
  let token = 'old';
  let refused = 0;
  const api = createApi({
    token: async () => token,
    refuse: () => {
      refused += 1;
      token = 'new';
    },
  });
  const { connectors } = await api.connectors.list();
  expect(connectors.length).toBeGreaterThan(0);
  expect(refused).toBe(1);
  expect(sent).toEqual(['GET /api/connectors Bearer old', 'GET /api/connectors Bearer new']);
});

test('a form that is sent while nobody is signed in waits, and is sent once', async () => {
  gateway('new');
  let signIn!: (token: string) => void;
  const signedIn = new Promise<string>((resolve) => {
    signIn = resolve;
  });
  const api = createApi({ token: () => signedIn, refuse: () => {} });
  const { connectors } = await import('../../dev/mock').then(({ world }) => world);
  const change = api.connectors.update(connectors[0]!.id, { label: 'Kept' });
  expect(sent).toEqual([]);
  signIn('new');
  expect((await change).label).toBe('Kept');
  expect(sent.length).toBe(1);
});
