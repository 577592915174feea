import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import type { Firing } from 'email-connectors-client';
import { act, Suspense } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { MemoryRouter } from 'react-router';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Api, ApiProvider } from '../api/client';
import { keys } from '../api/keys';
import Firings from './index';

const TRIGGER = {
  id: 'trg_1',
  owner_id: 'o',
  type: 'email',
  config: { connector_id: 'con_1', filters: {} },
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
};
let root: Root;
let client: QueryClient;
let fired: Firing[];

// What a query found is known within the act that asked.
notifyManager.setScheduler(queueMicrotask);

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  document.body.innerHTML = '<div id="at"></div>';
  root = createRoot(document.querySelector('#at') as Element);
});
afterEach(() => act(() => root.unmount()));

const firing = (id: number): Firing => ({
  event_id: `evt_${id}`,
  decided_at: new Date(1_700_000_000_000 + id * 1000).toISOString(),
  detail_type: 'TRIGGER_FIRED',
  connector_id: 'con_1',
  message_id: `m${id}`,
  published: true,
});

async function shown(may: string[]): Promise<void> {
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, refetchOnWindowFocus: false } } });
  client.setQueryData(keys.me, { owner_id: 'o', role: null, may });
  client.setQueryData(keys.triggers, [TRIGGER]);
  client.setQueryData(keys.connectors, []);
  const api = { firings: { list: async () => ({ firings: fired }) } } as unknown as Api;
  await act(async () =>
    root.render(
      <QueryClientProvider client={client}>
        <ApiProvider value={api}>
          <MemoryRouter>
            <Suspense>
              <Firings />
            </Suspense>
          </MemoryRouter>
        </ApiProvider>
      </QueryClientProvider>,
    ),
  );
  await act(() => client.refetchQueries({ queryKey: keys.firings }));
}

const status = () => document.querySelector('[aria-live="polite"]')?.textContent;
const rows = () => document.querySelectorAll('ul[aria-label="What fired"] > li');

it('new ones come by themselves, and are counted for who listens', async () => {
  fired = [firing(2), firing(1)];
  await shown(['see', 'read_mail']);
  expect([rows().length, status()]).toEqual([2, '']);
  fired = [firing(4), firing(3), ...fired];
  await act(() => client.refetchQueries({ queryKey: keys.firings }));
  expect([rows().length, status()]).toEqual([4, '2 new']);
  const seen = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Mark as seen');
  await act(async () => seen?.click());
  expect(status()).toBe('');
});

it('a viewer sees ids and times', async () => {
  fired = [firing(1)];
  await shown(['see']);
  expect(rows()[0]?.textContent).toContain('m1');
  expect(rows()[0]?.textContent).toContain('evt_1');
  expect(document.querySelector('a[href^="/mail/"]')).toBeNull();
});

it('nothing yet is said so', async () => {
  fired = [];
  await shown(['see']);
  expect(document.body.textContent).toContain('Nothing fired yet');
});
