import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { connector } from '../../dev/world';
import { nameOf, wordsOf, type Connector } from './connector';
import { REMEDIES } from './findings';

const words = (change: Partial<Connector>) => wordsOf(connector('con_1', 'ada@example.com', change)).map(({ word, tone }) => `${word}: ${tone}`);
const failure = { at: '2026-01-01T00:00:00.000Z', reason: 'no' };

describe('a connector’s states in words', () => {
  test.each<[Partial<Connector>, string[]]>([
    [{}, ['Active: good']],
    [{ paused: true }, ['Paused: quiet']],
    [{ status: 'needs_reauth' }, ['Needs sign-in again: bad']],
    [{ status: 'error' }, ['Error: bad']],
    [{ watch: { status: 'failed', failure } }, ['Watch failed: warn']],
    [{ watch: { status: 'pending' } }, ['Starting: quiet']],
    [{ circuit: { state: 'open', failures: 5 } }, ['Circuit open: warn']],
    [{ circuit: { state: 'half_open', failures: 5 } }, ['Active: good']],
    [{ closing: { since: failure.at, last: true } }, ['Closing: quiet']],
    [{ status: 'needs_reauth', paused: true, watch: { status: 'failed' } }, ['Needs sign-in again: bad', 'Watch failed: warn', 'Paused: quiet']],
    [{ closing: { since: failure.at, last: true }, status: 'needs_reauth', paused: true }, ['Closing: quiet']],
    [{ paused: true, watch: { status: 'pending' } }, ['Paused: quiet']],
  ])('%o', (change, expected) => {
    expect(words(change)).toEqual(expected);
  });
});

test('a label has its address beside it', () => {
  expect(nameOf({ label: 'Home', email_address: 'ada@example.com' })).toBe('Home (ada@example.com)');
  expect(nameOf({ label: null, email_address: 'ada@example.com' })).toBe('ada@example.com');
});

test('each finding with a button is one that the API makes', () => {
  const told = readFileSync(`${import.meta.dirname}/../../../docs/health.md`, 'utf8');
  expect(Object.keys(REMEDIES).filter((code) => !told.includes(`| \`${code}\` |`))).toEqual([]);
});
