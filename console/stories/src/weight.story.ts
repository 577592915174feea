// How much the first view weighs, and what the page's answers are served with.

import assert from 'node:assert/strict';
import { see } from './page.js';
import { CONSOLE, person } from './stack.js';
import { story } from './story.js';

/** Compressed, in bytes: of the sign-in page, and of the first room behind it. */
const MOST = 150_000;

story('the first view weighs at most 150 kB', 'short', async ({ visit, say }) => {
  const debug = await visit.context.newCDPSession(visit.page);
  await debug.send('Network.enable');
  const own = new Map<string, string>();
  let [bytes, files] = [0, 0];
  debug.on('Network.responseReceived', ({ requestId, response }) => own.set(requestId, response.url));
  debug.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (!own.get(requestId)?.startsWith(CONSOLE)) return;
    [bytes, files] = [bytes + encodedDataLength, files + 1];
  });
  await visit.open();
  await see(visit.button('Sign in'), 'the sign-in');
  say(`the sign-in: ${(bytes / 1000).toFixed(1)} kB in ${files} files`);
  assert.ok(bytes > 10_000 && bytes <= MOST, `${bytes} bytes`);
  await visit.signIn(person('weight').sub);
  await see(visit.heading('Connect your first mailbox'), 'the first room');
  say(`with the first room, after the way to the issuer and back: ${(bytes / 1000).toFixed(1)} kB in ${files} files`);
});

story('the page is served with a strict policy, its files for ever', 'whole', async ({ visit }) => {
  const answers = new Map<string, Record<string, string>>();
  visit.page.on('response', (answer) => {
    if (answer.url().startsWith(CONSOLE)) answers.set(answer.url(), answer.headers());
  });
  await visit.open();
  await see(visit.button('Sign in'), 'the sign-in');
  const page = answers.get(CONSOLE) ?? answers.get(`${CONSOLE}/`);
  assert.ok(page, 'the page was answered');
  const policy = page['content-security-policy'] ?? '';
  for (const directive of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'none'", "object-src 'none'"]) {
    assert.ok(policy.includes(directive), `${directive} in ${policy}`);
  }
  assert.doesNotMatch(policy, /unsafe-(inline|eval)|\*/);
  assert.equal(page['x-content-type-options'], 'nosniff');
  assert.equal(page['referrer-policy'], 'no-referrer');
  assert.equal(page['cross-origin-opener-policy'], 'same-origin-allow-popups');
  assert.doesNotMatch(page['cache-control'] ?? '', /max-age=[1-9]|immutable/);
  const files = [...answers].filter(([url]) => /\/assets\/.+\.(js|css)$/.test(url));
  assert.ok(files.length > 2);
  for (const [url, headers] of files) {
    assert.match(headers['cache-control'] ?? '', /max-age=31536000.*immutable/, url);
    assert.equal(headers['content-encoding'] ?? 'br', 'br', url);
  }
});
