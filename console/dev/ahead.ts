// The page's configuration is needed in any case. Named in the head, it is fetched beside the first script and not after it.
import type { Plugin } from 'vite';

const PAGE = '/index.html';

export function ahead(): Plugin {
  return {
    name: 'ahead',
    apply: 'build',
    transformIndexHtml: (_html, { path }) =>
      path === PAGE ? [{ tag: 'link', attrs: { rel: 'preload', as: 'fetch', crossorigin: true, href: './config.json' }, injectTo: 'head' }] : [],
  };
}
