import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { isBusEvent, sign, verify } from '../src/index.js';

const NOW = new Date('2026-01-01T00:00:00.900Z');
const BODY = '{"event_type":"order.paid","note":"ü"}';
const made = (secret: string, seconds: number, body = BODY) =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
const seconds = Math.floor(NOW.getTime() / 1000);

test('the header is what openssl makes of the same', async () => {
  assert.equal(await sign('s3cret', BODY, NOW), made('s3cret', seconds));
  assert.equal(await sign('s3cret', new TextEncoder().encode(BODY), NOW), made('s3cret', seconds));
});

test('what is accepted and what is not', async () => {
  const good = made('s3cret', seconds);
  const [head, mac] = good.split(',v1=') as [string, string];
  const table: [string, string | string[], string | null | undefined, string, boolean][] = [
    ['as made', 's3cret', good, BODY, true],
    ['in capital letters', 's3cret', `${head},v1=${mac.toUpperCase()}`, BODY, true],
    ['by the secret before', ['new', 's3cret'], good, BODY, true],
    ['by another secret', 'other', good, BODY, false],
    ['by no secret', [], good, BODY, false],
    ['of another body', 's3cret', good, `${BODY} `, false],
    ['at another time', 's3cret', `t=${seconds + 1},v1=${mac}`, BODY, false],
    ['five minutes old, less a second', 's3cret', made('s3cret', seconds - 299), BODY, true],
    ['five minutes old', 's3cret', made('s3cret', seconds - 300), BODY, false],
    ['five minutes early', 's3cret', made('s3cret', seconds + 301), BODY, false],
    ['one letter changed', 's3cret', good.slice(0, -1) + (good.endsWith('0') ? '1' : '0'), BODY, false],
    ['cut', 's3cret', good.slice(0, -2), BODY, false],
    ['longer', 's3cret', `${good}00`, BODY, false],
    ['with blanks', 's3cret', good.replace(',', ', '), BODY, false],
    ['the other way round', 's3cret', `v1=${mac},${head}`, BODY, false],
    ['a negative time', 's3cret', `t=-1,v1=${mac}`, BODY, false],
    ['not hexadecimal', 's3cret', `${head},v1=${'g'.repeat(64)}`, BODY, false],
    ['empty', 's3cret', '', BODY, false],
    ['absent', 's3cret', undefined, BODY, false],
    ['null', 's3cret', null, BODY, false],
  ];
  for (const [what, secrets, header, body, accepted] of table) {
    assert.equal(await verify(secrets, header, body, NOW), accepted, what);
  }
});

test('an event of the bus is recognised', () => {
  const event = { source: 'email.connectors', 'detail-type': 'WATCH_LAPSED', detail: { schema_version: 1 } };
  const table: [unknown, boolean][] = [
    [event, true],
    [{ ...event, source: 'aws.s3' }, false],
    [{ ...event, detail: { schema_version: 2 } }, false],
    [{ ...event, detail: null }, false],
    [null, false],
    ['x', false],
  ];
  for (const [read, expected] of table) assert.equal(isBusEvent(read), expected, JSON.stringify(read));
});
