// Reads every mail of a folder by mailparser, and writes a line of JSON for each: node read.mjs MODULES FOLDER
import { createRequire } from 'node:module'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const [modules, folder] = process.argv.slice(2)
const { simpleParser } = createRequire(join(modules, 'here.js'))('mailparser')
const OPTIONS = { checksumAlgo: 'sha256', skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, keepCidLinks: true, keepDeliveryStatus: true }

// Several headers of one name, and groups, become one list of mailboxes.
const mailboxes = (field) =>
  [field ?? []].flat().flatMap((header) => header.value.flatMap((one) => one.group ?? [one])).map((one) => [one.name || null, one.address || ''])

const read = async (file) => {
  const mail = await simpleParser(readFileSync(file), OPTIONS)
  return {
    subject: mail.subject ?? null,
    from: mailboxes(mail.from),
    to: mailboxes(mail.to),
    cc: mailboxes(mail.cc),
    reply_to: mailboxes(mail.replyTo),
    message_id: mail.messageId ?? null,
    in_reply_to: mail.inReplyTo ?? null,
    references: [mail.references ?? []].flat().join(' ') || null,
    text: mail.text ?? null,
    html: mail.html || null,
    attachments: mail.attachments.map((one) => ({
      filename: one.filename ?? '',
      mime_type: one.contentType,
      sha256: one.checksum,
      inline: one.contentDisposition === 'inline',
      content_id: one.cid ?? '',
    })),
  }
}

for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!name.isFile()) continue
  const file = join(name.parentPath, name.name)
  const value = await read(file).catch((error) => ({ failed: String(error) }))
  console.log(JSON.stringify({ mail: relative(folder, file), ...value }))
}
