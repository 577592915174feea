// Where the console and its API stand. Everything before `/console` belongs to the API, also below a stage or an emulator's path.

export type Base = {
  /** Path of the console without a slash at its end: `/console`, `/_aws/execute-api/abc/$default/console`. */
  console: string;
  /** Path of the API without a slash at its end: empty at the root of a host. */
  api: string;
};

const SEGMENT = '/console';

export function baseOf(pathname: string): Base {
  let at = pathname.indexOf(SEGMENT);
  while (at >= 0) {
    const next = pathname[at + SEGMENT.length];
    if (next === undefined || next === '/') {
      return { console: pathname.slice(0, at + SEGMENT.length), api: pathname.slice(0, at) };
    }
    at = pathname.indexOf(SEGMENT, at + 1);
  }
  return { console: '', api: '' };
}

export const base: Base = baseOf(globalThis.location?.pathname ?? '');

/** The full address of a page of the console: redirect URIs are compared letter by letter, so they are made here only. */
export function consoleUrl(path: string): string {
  return `${location.origin}${base.console}${path}`;
}

/** The full address of the API, as a client wants it. */
export function apiUrl(): string {
  return `${location.origin}${base.api}`;
}
