// The names of what the API takes and answers, by its nouns.

import type { components } from './generated/api.js';
import type { TriggerFired } from './events.js';

type Schemas = components['schemas'];

/** Any schema of the description by its name. */
export type Schema<Name extends keyof Schemas> = Schemas[Name];

export type Me = Schemas['Me'];
export type Role = Schemas['Role'];
export type Action = Schemas['Action'];
export type OfferedProvider = Schemas['OfferedProvider'];
export type SystemInfo = Schemas['Info'];
export type SystemHealth = Schemas['SystemHealth'];
export type Connector = Schemas['Connector'];
export type ConnectorChange = Schemas['ConnectorChange'];
export type ConnectorHealth = Schemas['ConnectorHealth'];
export type HealthFinding = Schemas['HealthFinding'];
export type Receipt = Schemas['Receipt'];
export type Connect = Schemas['Connect'];
export type Connected = Schemas['Connected'];
export type Filters = Schemas['Filters'];
export type NewTrigger = Schemas['NewTrigger'];
export type Trigger = Schemas['Trigger'];
export type TriggerChange = Schemas['TriggerChange'];
export type RehearsalRange = Schemas['RehearsalRange'];
/** Filters to try, how many days back, and at how many messages. */
export type FiltersToTry = RehearsalRange & { filters: Schemas['Filters'] };
export type Address = Schemas['Address'];
export type Message = Schemas['Message'];
export type MinimalMessage = Schemas['MinimalMessage'];
export type MessageReference = Schemas['MessageReference'];
export type Attachment = Schemas['Attachment'];
export type AttachmentList = Schemas['AttachmentList'];
export type AttachmentLink = Schemas['AttachmentLink'];
export type ListedThread = Schemas['ListedThread'];
export type Label = Schemas['Label'];
export type LabelSpec = Schemas['LabelSpec'];
export type LabelChange = Schemas['LabelChange'];
export type Outgoing = Schemas['Outgoing'];
export type OutgoingAttachment = Schemas['OutgoingAttachment'];
export type Recipient = Schemas['Recipient'];
export type DraftChange = Schemas['DraftChange'];
export type NewConnectSession = Schemas['NewConnectSession'];
export type ConnectSession = Schemas['OpenedSession'];
export type CurrentConnectSession = Schemas['CurrentSession'];

/** A trigger as it was made; of type `webhook` with its secret, this once. */
export type NewlyMade = Schemas['NewlyMade'];

/** What a trigger fired. `detail` is the event as it was published; a viewer gets none. */
export type Firing = Omit<Schemas['Firing'], 'detail'> & { detail?: TriggerFired | null };

/** A firing's page. */
export interface FiringPage {
  firings: Firing[];
  next_page_token?: string | null;
}

/** Why a message does not fire: what a filter wanted and saw, or what else keeps it from firing. */
export type Reason =
  | { reason: 'filter'; detail: { filter: keyof Filters; wanted: unknown; saw: unknown } }
  | { reason: 'older_than_trigger'; detail: { created_at: string } }
  | { reason: 'older_than_connect'; detail: { connected_at: string } }
  | { reason: 'older_than_ledger'; detail: Record<string, never> }
  | { reason: 'already_decided'; detail: { event_id: string } }
  | { reason: 'not_received'; detail: { label_ids: string[] } }
  | { reason: 'paused'; detail: { from: string; until: string | null } };

/** A message that a rehearsal looked at. `reasons` is absent of one that would fire. */
export type Looked = Omit<Schemas['Looked'], 'reasons'> & { reasons?: Reason[] };

/** Which mail of the last days would fire a trigger, and why the rest would not. */
export type Rehearsal = Omit<Schemas['Rehearsal'], 'would_fire' | 'would_not'> & {
  would_fire: Looked[];
  would_not: Looked[];
};

/** Which mail of the last days filters let pass that no trigger has yet. */
export type FiltersTried = Omit<Rehearsal, 'trigger_id'> & { connector_id: string };

/** How much of a message is read; `raw` is the mail as RFC 5322 in base64url. */
export type Format = 'full' | 'metadata' | 'minimal' | 'raw';

/** A message in a format: with `full`, the default, its bodies and attachments too. */
export type MessageIn<F extends Format | 'ids' | undefined> = F extends 'ids'
  ? MessageReference
  : F extends 'minimal' | 'raw'
    ? MinimalMessage
    : Message;

export interface MessagePage<M> {
  messages: M[];
  next_page_token?: string | null;
  /** Messages that could not be read just now; ask for each again. */
  failed_ids?: string[];
  /** Gmail's estimate of how many there are in all. */
  result_size_estimate: number;
}

export type ThreadIn<F extends Format | undefined> = Omit<Schemas['Thread'], 'messages'> & {
  messages: MessageIn<F>[];
};

export type DraftIn<F extends Format | undefined> = Omit<Schemas['Draft'], 'message'> & {
  message: MessageIn<F>;
};
