// The code of the documents, held against the types of the client.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = `${root}src/index.ts`;

/** What a reader has before the first line; a block that makes one of these hides it. */
const BEFORE = `
import type { Client, ConsentRoutes, OrganizationRoute } from "email-connectors-client";
declare global {
  const API_URL: string, GOOGLE_CLIENT_ID: string;
  const client: Client, provider: ConsentRoutes & OrganizationRoute, signal: AbortSignal, file: File, event: unknown;
  const connectorId: string, connector_id: string, triggerId: string, code: string, state: string, callback_url: string;
  const secret: string, previous: string, body: string;
  const session: { token(): Promise<string> };
  const show: (...shown: unknown[]) => void, use: (id: string) => void, run: (subject?: string) => void;
  const google: { accounts: { oauth2: { initCodeClient(options: {
    client_id: string; scope: string; ux_mode: string; callback(answer: { code: string; error?: string }): void;
  }): { requestCode(): void } } } };
}
`;

/** Its blocks of TypeScript, each a module of its own. */
function modules(document: string): Map<string, string> {
  const text = readFileSync(`${root}${document}`, 'utf8');
  const blocks = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block]) => block ?? '');
  const imports = (block: string) =>
    ['ApiProblem', 'createClient', 'isBusEvent', 'poll', 'sign', 'verify']
      .filter((name) => new RegExp(`\\b${name}\\b`).test(block) && !/^import /m.test(block))
      .map((name) => `import { ${name} } from "email-connectors-client";`)
      .join('');
  return new Map(blocks.map((block, index) => [`${root}${index + 1}-of-it.ts`, `${imports(block)}export {};${block}`]));
}

function complaints(files: Map<string, string>): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
    paths: { 'email-connectors-client': [SOURCE] },
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name);
    return text === undefined ? getSourceFile(name, ...rest) : ts.createSourceFile(name, text, options.target ?? 0);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
    return `${file?.fileName.slice(root.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

for (const document of ['../../docs/frontend.md', 'README.md'])
  test(`the code of ${document} is what the client understands`, () => {
    const files = modules(document);
    assert.ok(files.size > 4, `${files.size} blocks`);
    assert.deepEqual(complaints(new Map([...files, [`${root}before.d.ts`, BEFORE]])), []);
  });

test('code that the client does not understand is found', () => {
  const files = new Map([
    [`${root}before.d.ts`, BEFORE],
    [`${root}wrong.ts`, 'export {}; await client.connectors.lst(); await client.triggers.test(1);'],
  ]);
  assert.equal(complaints(files).length, 2);
});
