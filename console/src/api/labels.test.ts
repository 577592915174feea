import type { Label } from 'email-connectors-client';
import { describe, expect, test } from 'vitest';
import { grouped, labelName } from './labels';

const label = (id: string, name: string, type: Label['type'] = 'user') => ({ id, name, type }) as Label;

const GMAIL = [label('INBOX', 'INBOX', 'system'), label('UNREAD', 'UNREAD', 'system'), label('Label_2', 'Receipts'), label('Label_1', 'Bills')];
const OUTLOOK = [
  label('INBOX', 'Posteingang', 'system'),
  label('UNREAD', 'UNREAD', 'system'),
  label('folder:AQ', 'Projects/2026'),
  label('category:Blue', 'Blue'),
];

describe('what a label is called', () => {
  test.each([
    ['INBOX', GMAIL, 'Inbox'],
    ['INBOX', OUTLOOK, 'Posteingang'],
    ['UNREAD', OUTLOOK, 'Unread'],
    ['Label_1', GMAIL, 'Bills'],
    ['folder:AQ', OUTLOOK, 'Projects/2026'],
    ['category:Red', OUTLOOK, 'Red'],
    ['Label_9', GMAIL, 'Label_9'],
    ['folder:gone', undefined, 'folder:gone'],
  ])('%s', (id, labels, name) => {
    expect(labelName(id, labels)).toBe(name);
  });
});

test.each([
  [GMAIL, { Labels: ['Bills', 'Receipts'], 'Built in': ['INBOX', 'UNREAD'] }],
  [OUTLOOK, { Folders: ['Projects/2026'], Categories: ['Blue'], 'Built in': ['Posteingang', 'UNREAD'] }],
  [[], {}],
])('a picker has a heading for each kind', (labels, groups) => {
  expect(Object.fromEntries(grouped(labels).map(({ title, labels }) => [title, labels.map(({ name }) => name)]))).toEqual(groups);
});
