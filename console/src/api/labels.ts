// A mailbox's labels: for pickers, and to say a name where the API says an id.
import { useQuery } from '@tanstack/react-query';
import { collect, type Label } from 'email-connectors-client';
import { useApi } from './client';
import { keys } from './keys';
import { useMay } from './me';

export type Labels = {
  /** Undefined while they are not known, or may not be read. */
  all: Label[] | undefined;
  name: (id: string) => string;
  error: unknown;
};

/** What the built-in labels are called where the provider only repeats the id. Their ids are the same in every mailbox. */
const SYSTEM: Record<string, string> = {
  INBOX: 'Inbox',
  UNREAD: 'Unread',
  STARRED: 'Starred',
  IMPORTANT: 'Important',
  SENT: 'Sent',
  DRAFT: 'Draft',
  SPAM: 'Spam',
  TRASH: 'Trash',
  CHAT: 'Chat',
  SCHEDULED: 'Scheduled',
  CATEGORY_PERSONAL: 'Personal',
  CATEGORY_SOCIAL: 'Social',
  CATEGORY_PROMOTIONS: 'Promotions',
  CATEGORY_UPDATES: 'Updates',
  CATEGORY_FORUMS: 'Forums',
};

export function useLabels(connectorId: string | undefined): Labels {
  const api = useApi();
  const mayRead = useMay('read_mail');
  const { data, error } = useQuery({
    queryKey: keys.mail(connectorId ?? '', 'labels'),
    queryFn: ({ signal }) => collect(api.labels.all(connectorId ?? '', { signal })),
    enabled: mayRead && connectorId !== undefined,
    staleTime: 60_000,
    // Without them ids are shown; a second question does not make a missing scope appear.
    retry: false,
  });
  return { all: data, name: (id) => labelName(id, data), error };
}

export function labelName(id: string, labels: readonly Label[] | undefined): string {
  const known = labels?.find((label) => label.id === id)?.name;
  if (known !== undefined && known !== id) return known;
  // A message may have a category that the mailbox does not list.
  return SYSTEM[id] ?? (id.startsWith(CATEGORY) ? id.slice(CATEGORY.length) : id);
}

const FOLDER = 'folder:';
const CATEGORY = 'category:';

/** A message is in one folder: to put it into another moves it, and it cannot be taken out of all. */
export function isFolder(id: string): boolean {
  return id.startsWith(FOLDER);
}

/** The headings of a picker, each with its labels by name; what a mailbox has none of is left out. */
export function grouped(labels: readonly Label[]): { title: string; labels: Label[] }[] {
  const title = ({ id, type }: Label) => {
    if (isFolder(id)) return 'Folders';
    if (id.startsWith(CATEGORY)) return 'Categories';
    return type === 'system' ? 'Built in' : 'Labels';
  };
  const name = ({ id }: Label) => labelName(id, labels);
  return ['Folders', 'Categories', 'Labels', 'Built in'].flatMap((heading) => {
    const under = labels.filter((label) => title(label) === heading);
    return under.length === 0 ? [] : [{ title: heading, labels: under.toSorted((one, other) => name(one).localeCompare(name(other))) }];
  });
}
