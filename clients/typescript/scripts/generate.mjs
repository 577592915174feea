// Writes src/generated from openapi.json, ../../events/schemas and ../../docs. With --check it writes nothing,
// and fails if a file would change. With --from URL it fetches openapi.json there first.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import openapiTypescript, { astToString } from 'openapi-typescript';

const root = new URL('..', import.meta.url);
const eventSchemas = new URL('../../events/schemas/', root);
const docs = new URL('../../docs/', root);
const options = { alphabetize: true, defaultNonNullable: false };

/** The description as it is committed: two blanks, keys in the order in which the API sends them. */
function pretty(description) {
  return `${JSON.stringify(description, null, 2)}\n`;
}

function opening(of) {
  return `// Made by \`npm run generate\` of ${of}. Do not edit.\n\n`;
}

async function typesOf(description, of) {
  return opening(of) + astToString(await openapiTypescript(description, options));
}

/** Method and path of each operation. */
function routesOf(description) {
  const lines = [];
  for (const [path, item] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (operation?.operationId) {
        lines.push(`  ${operation.operationId}: ["${method.toUpperCase()}", "${path}"],\n`);
      }
    }
  }
  const about = '/** Method and path of each operation of the API. */\n';
  return `${opening('openapi.json')}${about}export const routes = {\n${lines.sort().join('')}} as const;\n`;
}

/** One description of all event schemas; what they share is there once. */
function eventDescription() {
  const schemas = {};
  const add = (name, schema) => {
    const text = JSON.stringify(schema);
    if (schemas[name] && JSON.stringify(schemas[name]) !== text) {
      throw new Error(`two event schemas define ${name}, each in its own way`);
    }
    schemas[name] = JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/'));
  };
  for (const file of readdirSync(eventSchemas).sort()) {
    const {
      $schema,
      $id,
      $defs = {},
      examples,
      title,
      ...schema
    } = JSON.parse(readFileSync(new URL(file, eventSchemas), 'utf8'));
    for (const [name, shared] of Object.entries($defs)) add(name, shared);
    if (schema.if) {
      for (const [name, variant] of variants(title, schema)) add(name, variant);
    } else {
      add(title, schema);
    }
  }
  return { openapi: '3.1.0', info: { title: 'events', version: '1' }, paths: {}, components: { schemas } };
}

/** `if`, `then`, `else` say which of two parts a firing has. In types that is a union. */
function variants(title, { if: _, then, else: otherwise, ...schema }) {
  const variant = (type, { required, properties }) => {
    const own = structuredClone(schema.properties);
    own.trigger.properties.type = { description: own.trigger.properties.type.description, const: type };
    for (const [name, rule] of Object.entries(properties)) if (rule === false) delete own[name];
    return { ...schema, required: [...schema.required, ...required], properties: own };
  };
  const [byMail, byWebhook] = [`${title}_EMAIL`, `${title}_WEBHOOK`];
  const union = { oneOf: [byMail, byWebhook].map((name) => ({ $ref: `#/components/schemas/${name}` })) };
  return [
    [byMail, variant('email', otherwise)],
    [byWebhook, variant('webhook', then)],
    [title, union],
  ];
}

/** The codes of docs/api.md and docs/gmail.md: of tables by status, and of the last column of the routes. */
function codes() {
  const found = new Set();
  const add = (text) => [...text.matchAll(/`([a-z_]+)`/g)].forEach(([, code]) => found.add(code));
  for (const page of ['api.md', 'gmail.md']) {
    for (const line of readFileSync(new URL(page, docs), 'utf8').split('\n')) {
      const cells = line.split(' | ');
      if (/^\| \d{3}$/.test(cells[0])) add(cells[1]);
      if (/^\| `(GET|POST|PUT|PATCH|DELETE) \//.test(line)) {
        const own = cells
          .at(-1)
          .replace(/ \([^)]*\)/g, '')
          .matchAll(/\d{3} (`[a-z_]+`(, |))+/g);
        for (const [listed] of own) add(listed);
      }
    }
  }
  const lines = [...found].sort().map((code) => `  "${code}",\n`);
  const about = '/** The codes of problem documents. A newer API may have others. */\n';
  return `${opening('docs/api.md and docs/gmail.md')}${about}export const PROBLEM_CODES = [\n${lines.join('')}] as const;\n`;
}

const file = (name) => new URL(name, root);
const from = process.argv.indexOf('--from');
if (from > 0) {
  const answer = await fetch(process.argv[from + 1]);
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}`);
  writeFileSync(file('openapi.json'), pretty(await answer.json()));
}
const description = JSON.parse(readFileSync(file('openapi.json'), 'utf8'));
const files = {
  'openapi.json': pretty(description),
  'src/generated/api.ts': await typesOf(description, 'openapi.json'),
  'src/generated/routes.ts': routesOf(description),
  'src/generated/codes.ts': codes(),
  'src/generated/events.ts': await typesOf(eventDescription(), 'events/schemas'),
};
const check = process.argv.includes('--check');
const changed = Object.entries(files).filter(([name, text]) => {
  let before = '';
  try {
    before = readFileSync(file(name), 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  if (!check && before !== text) writeFileSync(file(name), text);
  return before !== text;
});
for (const [name] of changed) console.log(`${check ? 'not as generated' : 'written'}: ${name}`);
process.exitCode = check && changed.length > 0 ? 1 : 0;
