// Files that go out with a letter: small ones in the request itself, others uploaded first.
import type { OutgoingAttachment } from 'email-connectors-client';
import type { Api } from '../api/client';
import { dataUrl } from './files';

export type Attached = {
  id: string;
  file: File;
  state: 'reading' | 'ready' | 'failed';
  error?: unknown;
  /** What stands for it in the mail, once it is ready. */
  ready?: OutgoingAttachment;
};

/** A file in the request itself, and all of them together: in base64 they become a third longer, and 5.5 MB are the bound. */
export const SMALL = 1_000_000;
export const SMALL_TOGETHER = 3_000_000;
/** Of one file, and of a mail. */
export const LARGEST = 25_000_000;

export function isTooMuch(files: readonly Pick<File, 'size'>[]): boolean {
  return files.reduce((sum, { size }) => sum + size, 0) > LARGEST;
}

/** Whether a file goes into the request, given what is in it already. */
export function fitsInRequest(size: number, inRequest: number): boolean {
  return size <= SMALL && inRequest + size <= SMALL_TOGETHER;
}

/** So much of the request is taken by these. */
export function inRequest(files: readonly Attached[]): number {
  return files.reduce(
    (sum, { file, ready }) => sum + (ready?.upload_id === undefined && file.size <= SMALL ? file.size : 0),
    0,
  );
}

export async function prepared(
  api: Api,
  connectorId: string,
  file: File,
  taken: number,
): Promise<OutgoingAttachment> {
  const named = { filename: file.name, mime_type: typeOf(file) };
  if (fitsInRequest(file.size, taken)) {
    const url = await dataUrl(file);
    return { ...named, content: url.slice(url.indexOf(',') + 1) };
  }
  return { ...named, upload_id: await api.uploads.put(connectorId, file) };
}

/** The API takes a mail by upload as bytes only; a type that the browser does not know is absent. */
function typeOf({ type, size }: File): string {
  return type === '' || (type.startsWith('message/') && size > SMALL) ? 'application/octet-stream' : type;
}
