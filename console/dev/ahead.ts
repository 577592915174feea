// What the page needs in any case is named in its head, so that a browser fetches it beside the first script and not after it: the
// configuration, and the session with what it imports. Without this each is one round trip later than the one before.
import type { HtmlTagDescriptor, Plugin, Rollup } from 'vite';

/** Where the session begins. */
const SESSION = '/app/signed-in.tsx';

export function ahead(): Plugin {
  return {
    name: 'ahead',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const config = link({ rel: 'preload', as: 'fetch', crossorigin: true, href: './config.json' });
        const chunks = Object.values(bundle ?? {}).filter((file) => file.type === 'chunk');
        const session = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith(SESSION));
        if (!session) throw new Error(`no chunk begins at ${SESSION}`);
        const files = filesOf(session, chunks).filter((file) => !html.includes(file));
        return [config, ...files.map((file) => (file.endsWith('.css') ? style(file) : script(file)))];
      },
    },
  };
}

/** The chunk, what it imports however far away, and their styles. */
function filesOf(chunk: Rollup.OutputChunk, chunks: Rollup.OutputChunk[], found = new Set<string>()): string[] {
  if (found.has(chunk.fileName)) return [];
  found.add(chunk.fileName);
  for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
  for (const name of chunk.imports) {
    const imported = chunks.find(({ fileName }) => fileName === name);
    if (imported) filesOf(imported, chunks, found);
  }
  return [...found];
}

const link = (attrs: Record<string, string | boolean>): HtmlTagDescriptor => ({ tag: 'link', attrs, injectTo: 'head' });
const script = (file: string) => link({ rel: 'modulepreload', crossorigin: true, href: `./${file}` });
const style = (file: string) => link({ rel: 'preload', as: 'style', crossorigin: true, href: `./${file}` });
