// How the page is built and tried. What is built goes to the function that serves it, and is committed there.
import react from '@vitejs/plugin-react';
import { defaultClientConditions, searchForWorkspaceRoot } from 'vite';
import { defineConfig } from 'vitest/config';
import { ahead } from './dev/ahead.ts';
import { brotli } from './dev/brotli.ts';
import { addresses, mockApi } from './dev/plugin.ts';

/** The running local stack's, for `make console-dev`; without it an API in memory answers. */
const stack = process.env['CONSOLE_API_URL'];

/** The page's own routes stay here; what it asks goes to the stack, as if its own page asked. */
function proxied(api: string) {
  const { origin, pathname } = new URL(api);
  const below = (path: string) => pathname.replace(/\/$/, '') + path;
  const proxy = { target: origin, changeOrigin: true, headers: { origin }, rewrite: below };
  return { '/api': proxy, '/console/config.json': proxy };
}

// Base: in development the page stands at /console/; built, its assets are relative to wherever the stack puts it.
export default defineConfig(({ command, isPreview }) => ({
  base: command === 'serve' && !isPreview ? '/console/' : './',
  // The client is taken from its sources, so that it need not be built first.
  resolve: { conditions: ['email-connectors-source', ...defaultClientConditions] },
  server: { fs: { allow: [searchForWorkspaceRoot('.'), '../clients/typescript'] }, ...(stack && { proxy: proxied(stack) }) },
  plugins: [react(), addresses(), !stack && mockApi(), ahead(), brotli()],
  build: {
    outDir: '../functions/console/assets',
    emptyOutDir: true,
    rollupOptions: { input: ['index.html', 'answer.html'] },
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    sourcemap: false,
    // The licences of what is bundled ask to be passed on with it.
    license: { fileName: 'licenses.txt' },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    // A machine with too much to do takes ten times as long as a free one.
    testTimeout: 60_000,
    // One DOM for the files of a worker: made anew for each, it takes four times as long as the tests.
    isolate: false,
  },
}));
