import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, useEffect, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Api, ApiProvider } from '../api/client';
import { keys } from '../api/keys';
import { emptyForm, type FilterForm, toFilters } from './filters';
import { FilterFields } from './form';
import type { Place } from './problems';

const LABELS = [
  { id: 'INBOX', name: 'INBOX', type: 'system' as const },
  { id: 'SPAM', name: 'SPAM', type: 'system' as const },
  { id: 'Label_7', name: 'Invoices', type: 'user' as const },
];
let root: Root;
let latest: FilterForm;

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  document.body.innerHTML = '<div id="at"></div>';
  root = createRoot(document.querySelector('#at') as Element);
});
afterEach(() => act(() => root.unmount()));

function Held({ start, place }: { start: FilterForm; place: Place | undefined }) {
  const [form, setForm] = useState(start);
  useEffect(() => {
    latest = form;
  }, [form]);
  return (
    <FilterFields
      form={form}
      onChange={setForm}
      connectorId="con_1"
      place={place}
      fault="is refused"
      disabled={false}
    />
  );
}

async function shown(start: Partial<FilterForm> = {}, place?: Place): Promise<void> {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  client.setQueryData(keys.me, { owner_id: 'o', role: null, may: ['read_mail', 'operate'] });
  client.setQueryData(keys.mail('con_1', 'labels'), LABELS);
  await act(async () =>
    root.render(
      <QueryClientProvider client={client}>
        <ApiProvider value={{} as Api}>
          <Held start={{ ...emptyForm(), ...start }} place={place} />
        </ApiProvider>
      </QueryClientProvider>,
    ),
  );
}

const field = (title: string) =>
  [...document.querySelectorAll('fieldset')].find(
    (each) => each.querySelector('legend')?.textContent === title,
  ) as HTMLElement;

async function type(input: HTMLInputElement | HTMLSelectElement, text: string): Promise<void> {
  const prototype = input instanceof HTMLSelectElement ? HTMLSelectElement.prototype : HTMLInputElement.prototype;
  await act(async () => {
    Object.getOwnPropertyDescriptor(prototype, 'value')?.set?.call(input, text);
    input.dispatchEvent(new Event(input instanceof HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
  });
}

it('what is typed and chosen becomes filters', async () => {
  await shown();
  await type(field('Subject contains').querySelector('input') as HTMLInputElement, 'invoice');
  await type(field('With all of these labels').querySelector('select') as HTMLSelectElement, 'Label_7');
  await act(async () => [...field('Automatic mail').querySelectorAll('input')].at(-1)?.click());
  expect(toFilters(latest).filters).toEqual({
    subject_contains: ['invoice'],
    label_include: ['Label_7'],
    automatic: false,
  });
});

it('Enter makes another row and sends nothing', async () => {
  await shown({ from_domain: ['a.example'] });
  const enter = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true });
  await act(async () => void field("Sender's domain").querySelector('input')?.dispatchEvent(enter));
  expect(enter.defaultPrevented).toBe(true);
  expect(latest.from_domain).toEqual(['a.example', '']);
  expect(document.activeElement).toBe(field("Sender's domain").querySelectorAll('input')[1]);
});

it('a fault stands at its row', async () => {
  await shown({ from_domain: ['a.example', 'b@c.example'] }, { at: 'filter', filter: 'from_domain', row: 1 });
  const faulty = [...document.querySelectorAll('[aria-invalid="true"]')];
  expect(faulty).toEqual([field("Sender's domain").querySelectorAll('input')[1]]);
  expect(document.getElementById(faulty[0]?.getAttribute('aria-describedby') ?? '')?.textContent).toBe('is refused');
});

it('labels of mail that is never received are not offered among those that mail must have', async () => {
  await shown();
  const offered = (title: string) =>
    [...field(title).querySelectorAll('option')].map(({ value }) => value).filter(Boolean);
  expect(offered('With all of these labels')).toEqual(['Label_7', 'INBOX']);
  expect(offered('With none of these labels')).toEqual(['Label_7', 'INBOX', 'SPAM']);
});

it('filters that the page does not know are named', async () => {
  await shown({ others: { size_over: 5 } });
  expect(document.body.textContent).toContain('size_over');
});
