// What is typed and not sent, by what it is about. In memory: leaving the view, an error or an expired session loses none of it.
import type { OutgoingAttachment } from 'email-connectors-client';
import type { Attached } from './attaching';
import type { Letter } from './compose';

export type Unsent = {
  letter: Letter;
  files: Attached[];
  /** The draft in the mailbox, once there is one. */
  draftId?: string | undefined;
  /** What the draft has of it. */
  saved?: { letter: Letter; attachments: OutgoingAttachment[] } | undefined;
};

const letters = new Map<string, Unsent>();

export const unsent = {
  get: (key: string): Unsent | undefined => letters.get(key),
  keep: (key: string, letter: Unsent): void => void letters.set(key, letter),
  drop: (key: string): void => void letters.delete(key),
};
