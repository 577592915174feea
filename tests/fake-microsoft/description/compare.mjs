// Holds the fake Microsoft, or requests that were made of one, against a description of Graph that nobody here wrote:
//
//   compare.mjs FOLDER URL                  the fake itself: its paths, query options, and fields of answers
//   compare.mjs FOLDER --requests FILE...   what requests name: their paths, query options, and fields, one request a line
//
// FOLDER is the unpacked npm package whose dist/generated/client.js was generated from Microsoft's OpenAPI document. What it does not
// know is an error, but for what it leaves out.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const [folder, url, ...files] = process.argv.slice(2);
const { api, schemas } = await import(pathToFileURL(resolve(folder, "dist/generated/client.js")));

// It has a selection of Graph's paths only. With each the query options of Graph's reference.
const PATHS_LEFT_OUT = {
  "GET /me/mailFolders/{mailFolder-id}": ["select", "expand"],
  "GET /me/messages/{message-id}/attachments/{attachment-id}": ["select", "expand"],
  "GET /me/messages/{message-id}/attachments/{attachment-id}/$value": [],
  "POST /me/messages/{message-id}/permanentDelete": [],
};
// It cuts large types off after so many fields; the abstract attachment has no fields of the concrete ones.
const FIELDS_LEFT_OUT = {
  attachment: ["contentBytes", "contentId", "contentLocation"],
  message: [
    "isRead", "isReadReceiptRequested", "parentFolderId", "receivedDateTime", "replyTo", "sender", "sentDateTime", "uniqueBody", "webLink",
  ],
  user: ["givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname"],
};
// What the last name of a path holds.
const TYPES = {
  me: "user", messages: "message", attachments: "attachment", mailfolders: "mailFolder", childfolders: "mailFolder",
  mastercategories: "outlookCategory", subscriptions: "subscription",
};
const EMAIL = "ada@contoso.example";

const leftOut = { paths: new Set(), fields: new Set() };
const problems = [];
let compared = 0;
let described;

if (url === "--requests") {
  requests();
} else {
  await paths();
  await fields();
  expect("paths", Object.keys(PATHS_LEFT_OUT));
  expect("fields", Object.entries(FIELDS_LEFT_OUT).flatMap(([type, names]) => names.map((name) => `${type}.${name}`)));
}
if (problems.length > 0) {
  console.error([...new Set(problems)].join("\n"));
  process.exit(1);
}
console.log(`${compared} paths, options and fields are as described; ${leftOut.paths.size} paths and ${leftOut.fields.size} fields are not in the description`);

/** What the description leaves out has to be left out still. */
function expect(kind, wanted) {
  for (const one of wanted.filter((one) => !leftOut[kind].has(one))) problems.push(`no longer left out: ${one}`);
}

/** Every path of the fake, with the query options that it heeds. */
async function paths() {
  for (const route of await admin("GET", "routes")) path(route.method, route.template, route.query);
}

/** What is described there; `undefined` if it is not. */
function path(method, template, options) {
  const same = (one) => one.replace(/:\w+|\{[^}]*\}/g, "{}").toLowerCase();
  described ??= new Map(api.endpoints.map((one) => [`${one.method.toUpperCase()} ${same(one.path)}`, one]));
  const wanted = `${method} ${same(template)}`;
  // Some paths are described for another user's mailbox alone.
  const found = described.get(wanted) ?? described.get(wanted.replace("/me/", "/users/{}/"));
  const name = `${method} ${template}`;
  if (!found) {
    leftOut.paths.add(name);
    if (!PATHS_LEFT_OUT[name]) problems.push(`unknown path: ${name}`);
  }
  compared += found ? 1 : 0;
  const known = found ? found.parameters.filter((one) => one.type === "Query").map((one) => one.name) : (PATHS_LEFT_OUT[name] ?? []);
  for (const option of options) {
    compared += 1;
    // The package takes the dollar off.
    if (!known.includes(option.replace("$", ""))) problems.push(`unknown option: ${name} ${option}`);
  }
  return found;
}

/** What requests name. */
function requests() {
  let made = 0;
  const kinds = new Set();
  for (const file of files) {
    const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
    console.log(`  ${lines.length} requests in ${file}`);
    made += lines.length;
    lines.forEach((line) => kinds.add(line));
  }
  for (const kind of kinds) request(JSON.parse(kind));
  console.log(`${made} requests of ${kinds.size} kinds`);
  if (made === 0) problems.push("no request was recorded");
}

function request({ method, path: template, options, fields, body }) {
  const found = path(method, template, options);
  const name = template.split("/").filter((one) => one && !one.startsWith("{")).at(-1)?.toLowerCase();
  const type = TYPES[name];
  const holds = type && schemas[`microsoft_graph_${type}`];
  for (const field of fields) named(holds, field, type, `${method} ${template} ${field}`);
  const sent = unwrapped(found?.parameters.find((one) => one.type === "Body")?.schema);
  // A batch is described as an object, and no more.
  if (sent && sent._def.unknownKeys === "passthrough" && Object.keys(sent.shape).length === 0) return;
  for (const field of body) named(sent, field, type, `${method} ${template} body ${field}`);
}

/** A field by its path, as `from/emailAddress/address`. */
function named(schema, field, type, where) {
  let here = unwrapped(schema);
  for (const [at, name] of field.split("/").entries()) {
    // OData's own.
    if (name.startsWith("@odata.")) return;
    while (here?._def.typeName === "ZodArray") here = unwrapped(here._def.type);
    const inner = here?.shape?.[name] ?? here?.shape?.[capital(name)];
    if (inner === undefined) {
      if (at === 0 && FIELDS_LEFT_OUT[type]?.includes(name)) leftOut.fields.add(`${type}.${name}`);
      else problems.push(`unknown field: ${where}`);
      return;
    }
    here = unwrapped(inner);
  }
  compared += 1;
}

/** Parameters of actions are described as `DestinationId`, and documented as `destinationId`: Graph takes either. */
function capital(name) {
  return name[0].toUpperCase() + name.slice(1);
}

/** Answers of every kind, field by field. */
async function fields() {
  await admin("POST", "mailboxes", { email: EMAIL });
  const inner = Buffer.from("Subject: Inner\r\n\r\ninner").toString("base64");
  const attachments = [{ filename: "a.pdf", size: 300 }, { filename: "inner.eml", mime_type: "message/rfc822", content: inner }];
  const mail = { subject: "Hello", html: "<p>hello</p>", cc: ["bo@example.com"], flagged: true, categories: ["Red"], attachments };
  await admin("POST", `mailboxes/${EMAIL}/messages`, mail);
  const token = await signIn();
  const graph = (method, path, body) => call(method, `${url}/v1.0/${path}`, body, { authorization: `Bearer ${token}` });
  const names = [...Object.keys((await graph("GET", "me/messages?$top=1")).value[0]), "internetMessageHeaders", "uniqueBody"];
  const select = names.filter((name) => !name.startsWith("@")).join(",");
  const [message] = (await graph("GET", `me/messages?$select=${select}&$expand=attachments`)).value;
  check("message", message);
  check("message", await graph("POST", "me/messages", { subject: "Draft" }));
  for (const one of message.attachments) check("attachment", one);
  for (const one of (await graph("GET", "me/mailFolders?$top=50")).value) check("mailFolder", one);
  check("outlookCategory", await graph("POST", "me/outlook/masterCategories", { displayName: "Red", color: "preset0" }));
  check("user", await graph("GET", "me"));
  check("subscription", await subscribed(graph));
}

/** Unknown fields of a value, and what zod says of the known ones. */
function check(type, value) {
  const schema = schemas[`microsoft_graph_${type}`];
  if (!schema) return problems.push(`unknown type: ${type}`);
  walk(schema, value, type, type);
  const parsed = schema.safeParse(value);
  for (const issue of parsed.success ? [] : parsed.error.issues) problems.push(`${type}.${issue.path.join(".")}: ${issue.message}`);
}

function walk(schema, value, type, path) {
  const plain = unwrapped(schema);
  const kind = plain?._def.typeName;
  if (kind === "ZodArray" && Array.isArray(value)) return value.forEach((one) => walk(plain._def.type, one, type, path));
  if (kind !== "ZodObject" || value === null || typeof value !== "object") return undefined;
  for (const [name, inner] of Object.entries(value).filter(([name]) => !name.includes("@odata."))) {
    if (plain.shape[name]) {
      compared += 1;
      walk(plain.shape[name], inner, type, `${path}.${name}`);
    } else if (path === type && FIELDS_LEFT_OUT[type]?.includes(name)) {
      leftOut.fields.add(`${type}.${name}`);
    } else if (!path.endsWith(".attachments")) {
      problems.push(`unknown field: ${path}.${name}`);
    }
  }
  return undefined;
}

function unwrapped(schema) {
  const { typeName, innerType, getter } = schema?._def ?? {};
  if (["ZodOptional", "ZodNullable", "ZodDefault"].includes(typeName)) return unwrapped(innerType);
  return typeName === "ZodLazy" ? unwrapped(getter()) : schema;
}

async function signIn() {
  const { code } = await admin("POST", "codes", { email: EMAIL });
  const form = new URLSearchParams({
    grant_type: "authorization_code", code, redirect_uri: "http://localhost/callback",
    client_id: "11111111-1111-4111-8111-111111111111", client_secret: "local-secret",
  });
  const answer = await fetch(`${url}/common/oauth2/v2.0/token`, { method: "POST", body: form });
  return (await answer.json()).access_token;
}

/** A webhook answers the handshake in this process. */
async function subscribed(graph) {
  const { createServer } = await import("node:http");
  const server = createServer((request, response) => {
    const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
    response.writeHead(200, { "content-type": "text/plain" }).end(token);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const hook = `http://127.0.0.1:${server.address().port}/`;
  const ends = new Date(Date.now() + 5 * 24 * 3600 * 1000).toISOString();
  const wish = { changeType: "created", notificationUrl: hook, resource: "me/messages", expirationDateTime: ends, clientState: "s" };
  const made = await graph("POST", "subscriptions", wish);
  server.close();
  server.closeAllConnections();
  return made;
}

function admin(method, path, body) {
  return call(method, `${url}/admin/${path}`, body, {});
}

async function call(method, address, body, headers) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await fetch(address, { method, ...sent, headers: { ...sent.headers, ...headers } });
  if (!answer.ok) throw new Error(`${method} ${address}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
