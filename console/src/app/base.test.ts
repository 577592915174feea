import { expect, test } from 'vitest';
import { baseOf } from './base';

test.each([
  ['/console', '/console', ''],
  ['/console/', '/console', ''],
  ['/console/connectors/con_1', '/console', ''],
  ['/_aws/execute-api/abc/$default/console/mail', '/_aws/execute-api/abc/$default/console', '/_aws/execute-api/abc/$default'],
  ['/prod/console', '/prod/console', '/prod'],
  ['/consoles/console/', '/consoles/console', '/consoles'],
  ['/my-console/console/x', '/my-console/console', '/my-console'],
  ['/console/connectors/console', '/console', ''],
  ['/', '', ''],
  ['/elsewhere', '', ''],
])('%s: the console stands at "%s", the API at "%s"', (pathname, console, api) => {
  expect(baseOf(pathname)).toEqual({ console, api });
});
