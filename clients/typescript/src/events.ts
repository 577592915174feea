// What is published on the event bus, after events/schemas.

import type { components } from './generated/events.js';

type Schemas = components['schemas'];

/** The detail of each detail type. */
export type EventDetails = {
  [
    Type in Extract<keyof Schemas, Uppercase<string>> as Type extends `TRIGGER_FIRED_${string}` ? never : Type
  ]: Schemas[Type];
};
export type DetailType = keyof EventDetails;

/** A message or a webhook call that matched a trigger: `"message" in fired` tells which. */
export type TriggerFired = Schemas['TRIGGER_FIRED'];
export type FiredByMail = Schemas['TRIGGER_FIRED_EMAIL'];
export type FiredByWebhook = Schemas['TRIGGER_FIRED_WEBHOOK'];

/** An event as EventBridge delivers it. */
export type BusEvent = {
  [Type in DetailType]: { source: 'email.connectors'; 'detail-type': Type; detail: EventDetails[Type] };
}[DetailType];

/** Whether an event of the bus is one of these, of the version that this client knows. */
export function isBusEvent(event: unknown): event is BusEvent {
  if (typeof event !== 'object' || event === null) return false;
  const { source, detail } = event as Record<string, unknown>;
  if (source !== 'email.connectors' || typeof detail !== 'object' || detail === null) return false;
  return (detail as Record<string, unknown>)['schema_version'] === 1;
}
