// A trigger in one sentence.
import type { Trigger } from 'email-connectors-client';
import { useLabels } from '../api/labels';
import { Stranger } from '../ui/stranger';
import { inWords } from './words';

/** What a trigger is called: its filters, since it has no name. */
export function Sentence({ trigger }: { trigger: Trigger }) {
  const labels = useLabels(trigger.type === 'email' ? trigger.config.connector_id : undefined);
  if (trigger.type === 'webhook') return <>Fired by your own systems</>;
  const words = inWords(trigger.config.filters ?? {}, labels.name);
  if (words.length === 0) return <>Every received message</>;
  const text = words.map((each) => each.text).join('; ');
  return <Stranger text={text.charAt(0).toUpperCase() + text.slice(1)} />;
}
