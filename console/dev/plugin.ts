// Development and preview without a stack. Not shipped: the built page has no line of it.
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, normalize, resolve } from 'node:path';
import type { Connect, Plugin } from 'vite';
import { answer } from './mock.ts';
import { answerAsOthers } from './people.ts';

type Next = Connect.NextFunction;

export function mockApi(): Plugin {
  let outDir = '';
  return {
    name: 'mock-api',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    configureServer(server) {
      // Before Vite's own, so that a page deep in the console is not taken for an asset.
      server.middlewares.use(answering);
    },
    configurePreviewServer(server) {
      server.middlewares.use(answering);
      server.middlewares.use((request, response, next) => void served(outDir, request, response, next).catch(next));
    },
  };
}

/** Where the issuer returns to inside a frame or a popup: a document of its own. */
const ANSWER = /^\/console\/auth\/(silent|popup)\/?$/;

/** The stack's gateway takes the address with a slash at its end for the one without, and its function has two documents; Vite knows neither. */
export function addresses(): Plugin {
  return {
    name: 'addresses',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const [path = '', query] = (request.url ?? '').split(/\?(.*)/s);
        const end = query === undefined ? '' : `?${query}`;
        if (path === '/console') request.url = `/console/${end}`;
        if (ANSWER.test(path)) request.url = `/console/answer.html${end}`;
        next();
      });
    },
  };
}

function answering(incoming: IncomingMessage, response: ServerResponse, next: Next): void {
  void (async () => {
    const request = await requestOf(incoming);
    const { pathname, origin } = new URL(request.url);
    if (pathname === '/console/config.json') {
      const config = { issuer: `${origin}/mock-idp`, client_id: 'console', scope: 'openid profile email', audience: 'mock-api', resource: null, version: 'dev' };
      return send(response, Response.json(config));
    }
    const answered = (await answerAsOthers(request)) ?? (await answer(request));
    return answered ? send(response, answered) : next();
  })().catch(next);
}

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const own = /^\/(api|mock-)/.test(incoming.url ?? '');
  const pieces: Buffer[] = [];
  if (own) for await (const piece of incoming) pieces.push(piece as Buffer);
  const headers = new Headers(Object.entries(incoming.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])) as [string, string][]);
  const init: RequestInit = { method: incoming.method ?? 'GET', headers };
  if (pieces.length > 0) init.body = Buffer.concat(pieces).toString();
  return new Request(`http://${incoming.headers.host ?? 'localhost'}${incoming.url ?? '/'}`, init);
}

async function send(response: ServerResponse, answered: Response): Promise<void> {
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.end(Buffer.from(await answered.arrayBuffer()));
}

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain' };

const PAGE =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; " +
  "form-action 'none'; base-uri 'self'; frame-ancestors 'self'; object-src 'none'; require-trusted-types-for 'script'";

const frame = (pictures: string) =>
  `default-src 'none'; img-src ${pictures}; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; ` +
  'sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox';

/** Documents with a policy of their own, in which mail is shown. */
const FRAMES: Record<string, string> = {
  'mail-frame.html': frame('data: blob:'),
  'mail-frame-pictures.html': frame('data: blob: https:'),
};

/** What was built, with the policy and the addresses that the stack's function gives it. */
async function served(outDir: string, incoming: IncomingMessage, response: ServerResponse, next: Next): Promise<void> {
  const { pathname } = new URL(incoming.url ?? '/', 'http://localhost');
  if (!pathname.startsWith('/console')) return next();
  const name = normalize(pathname.slice('/console'.length));
  const page = ANSWER.test(pathname) ? 'answer.html' : 'index.html';
  const file = join(outDir, extname(name) in TYPES ? name : page);
  const type = TYPES[extname(file)]!;
  let bytes: Buffer | string = await readFile(file);
  const headers: Record<string, string> = { 'content-type': type };
  if (type === 'text/html') {
    bytes = bytes.toString().replaceAll('="./', '="/console/');
    headers['content-security-policy'] = FRAMES[name.slice(1)] ?? PAGE;
  }
  response.writeHead(200, headers);
  response.end(bytes);
}
