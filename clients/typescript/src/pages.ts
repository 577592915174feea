// Lists that come in pages, as async iterators.

/** What every page has. */
export interface Page {
  next_page_token?: string | null;
}

/** Reads page after page, each when it is asked for. */
export async function* pagesOf<P extends Page>(
  read: (pageToken: string | undefined) => Promise<P>,
): AsyncGenerator<P, void, void> {
  let token: string | undefined;
  do {
    const page = await read(token);
    yield page;
    token = page.next_page_token ?? undefined;
  } while (token !== undefined);
}

/** The entries of all pages. */
export async function* entriesOf<P extends Page, T>(
  pages: AsyncIterable<P>,
  of: (page: P) => readonly T[],
): AsyncGenerator<T, void, void> {
  for await (const page of pages) yield* of(page);
}

/** Collects what an iterator brings, at most so many. */
export async function collect<T>(entries: AsyncIterable<T>, most = Infinity): Promise<T[]> {
  const collected: T[] = [];
  if (most <= 0) return collected;
  for await (const entry of entries) {
    collected.push(entry);
    if (collected.length >= most) break;
  }
  return collected;
}
