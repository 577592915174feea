// The fields of a trigger's filters.
import type { Label } from 'email-connectors-client';
import { useId, useRef } from 'react';
import { flushSync } from 'react-dom';
import { grouped, labelName, useLabels } from '../api/labels';
import { Button, Notice, Panel, TextField } from '../ui';
import { Stranger } from '../ui/stranger';
import { Segment } from './edit';
import { type ChoiceFilter, type FilterForm, type FilterName, type ListFilter } from './filters';
import type { Place } from './problems';
import s from './triggers.module.css';
import { CHOICES, FILTERS } from './words';

type Props = {
  form: FilterForm;
  onChange: (form: FilterForm) => void;
  connectorId: string;
  place: Place | undefined;
  fault: string | undefined;
  disabled: boolean;
};

export function FilterFields({ form, onChange, connectorId, place, fault, disabled }: Props) {
  const labels = useLabels(connectorId === '' ? undefined : connectorId);
  const at = (filter: FilterName) =>
    place?.at === 'filter' && place.filter === filter ? { fault, row: place.row } : undefined;
  const texts = (filter: ListFilter, example: string) => (
    <Texts
      title={FILTERS[filter].title}
      hint={FILTERS[filter].hint}
      example={example}
      values={form[filter]}
      onChange={(values) => onChange({ ...form, [filter]: values })}
      at={at(filter)}
      disabled={disabled}
    />
  );
  const labelled = (filter: 'label_include' | 'label_exclude') => (
    <LabelPicker
      title={FILTERS[filter].title}
      hint={FILTERS[filter].hint}
      all={labels.all}
      values={form[filter]}
      onChange={(values) => onChange({ ...form, [filter]: values })}
      at={at(filter)}
      disabled={disabled}
    />
  );
  return (
    <>
      <Panel title="Who sent it">
        <div className={s.fields}>
          {texts('from_domain', 'shop.example')}
          {texts('from_contains', 'billing@')}
          <Choose
            filter="authenticated"
            form={form}
            onChange={onChange}
            fault={at('authenticated')?.fault}
            disabled={disabled}
          />
          {form.from_domain.some((text) => text.trim() !== '') && form.authenticated !== 'yes' && (
            <p className={s.advice}>
              Anybody can write any From. Where it matters who starts the agent, choose “Authenticated” as well.
            </p>
          )}
        </div>
      </Panel>
      <Panel title="What it says">
        <div className={s.fields}>
          {texts('subject_contains', 'invoice')}
          <TextField
            label={FILTERS.query.title}
            hint={FILTERS.query.hint}
            placeholder="billing invoice"
            value={form.query}
            onChange={({ target }) => onChange({ ...form, query: target.value })}
            fault={at('query')?.fault}
            disabled={disabled}
            autoComplete="off"
            spellCheck={false}
          />
          {texts('to_contains', 'ada+shop@')}
        </div>
      </Panel>
      <Panel title="Where it is and what it is">
        <div className={s.fields}>
          {labels.error !== null && labels.error !== undefined && (
            <p className={s.hint}>The mailbox's labels could not be read: type a label's name or id.</p>
          )}
          {labelled('label_include')}
          {labelled('label_exclude')}
          <Choose
            filter="has_attachment"
            form={form}
            onChange={onChange}
            fault={at('has_attachment')?.fault}
            disabled={disabled}
          />
          <Choose
            filter="automatic"
            form={form}
            onChange={onChange}
            fault={at('automatic')?.fault}
            disabled={disabled}
          />
        </div>
      </Panel>
      {Object.keys(form.others).length > 0 && (
        <Notice tone="warn">
          This trigger has filters that this page does not know: <code>{Object.keys(form.others).join(', ')}</code>.
          They stay as they are.
        </Notice>
      )}
      {place?.at === 'filters' && <Notice tone="bad">{fault}</Notice>}
    </>
  );
}

export function AgentField(props: {
  value: string;
  onChange: (value: string) => void;
  fault: string | undefined;
  disabled: boolean;
}) {
  return (
    <TextField
      label="Agent's id"
      hint="Goes with each event as agent_id. May be empty."
      placeholder="billing-agent"
      value={props.value}
      onChange={({ target }) => props.onChange(target.value)}
      fault={props.fault}
      disabled={props.disabled}
      maxLength={200}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

type At = { fault: string | undefined; row: number | undefined } | undefined;
type ListProps = {
  title: string;
  hint: string;
  values: string[];
  onChange: (values: string[]) => void;
  at: At;
  disabled: boolean;
};

/** One text a row. There is always a row to type into; Enter makes another. */
function Texts({ title, hint, example, values, onChange, at, disabled }: ListProps & { example: string }) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const rows = values.length === 0 ? [''] : values;
  // At once: who types on types into the new row.
  const change = (to: string[], row: number) => {
    flushSync(() => onChange(to));
    list.current?.querySelectorAll('input')[row]?.focus();
  };
  const insert = (row: number) => change(rows.toSpliced(row, 0, ''), row);
  const remove = (row: number) => change(rows.toSpliced(row, 1), Math.max(0, row - 1));
  return (
    <fieldset className={s.list} aria-describedby={`${id}-hint`}>
      <legend>{title}</legend>
      <div ref={list} className={s.listRows}>
        {rows.map((text, row) => {
          const fault = at && (at.row === row || (at.row === undefined && row === 0)) ? at.fault : undefined;
          return (
            // A row has no name of its own: its place is what it is.
            <div key={row} className={s.listRow}>
              <div className={s.listInput}>
                <TextField
                  label={<span className="visually-hidden">{`${title}, ${row + 1} of ${rows.length}`}</span>}
                  value={text}
                  placeholder={row === 0 ? example : undefined}
                  fault={fault}
                  disabled={disabled}
                  autoComplete="off"
                  autoCapitalize="off"
                  spellCheck={false}
                  onChange={({ target }) => onChange(rows.with(row, target.value))}
                  onKeyDown={(event) => {
                    // It would send the form. An input method ends its word with Enter too.
                    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
                    event.preventDefault();
                    if (text.trim() !== '') insert(row + 1);
                  }}
                  onPaste={(event) => {
                    const pasted = linesOf(event.clipboardData.getData('text'));
                    if (pasted.length < 2 || text !== '') return;
                    event.preventDefault();
                    onChange(rows.toSpliced(row, 1, ...pasted));
                  }}
                />
              </div>
              {(rows.length > 1 || text !== '') && !disabled && (
                <Button look="quiet" aria-label={`Remove ${text || 'the empty row'}`} onClick={() => remove(row)}>
                  ×
                </Button>
              )}
            </div>
          );
        })}
      </div>
      <div className={s.listFoot}>
        <span className={s.hint} id={`${id}-hint`}>
          {hint}
        </span>
        {!disabled && rows.at(-1)?.trim() !== '' && (
          <Button small look="quiet" onClick={() => insert(rows.length)}>
            Or another
          </Button>
        )}
      </div>
    </fieldset>
  );
}

function linesOf(text: string): string[] {
  return text
    .split(/\r?\n|\r/)
    .map((line) => line.trim())
    .filter(Boolean);
}

/** Mail with one of these is not received mail, which alone fires: the API refuses it among those that mail must have. */
const NEVER = new Set(['DRAFT', 'SPAM', 'TRASH', 'CHAT', 'SCHEDULED']);

function LabelPicker({ title, hint, all, values, onChange, at, disabled }: ListProps & { all: Label[] | undefined }) {
  const id = useId();
  const add = useRef<HTMLSelectElement>(null);
  if (!all)
    return (
      <Texts
        title={title}
        hint={hint}
        example="Invoices/2026"
        values={values}
        onChange={onChange}
        at={at}
        disabled={disabled}
      />
    );
  const mustHave = title === FILTERS.label_include.title;
  const free = all.filter((label) => !values.includes(label.id) && !(mustHave && NEVER.has(label.id)));
  const named = (label: Label) => labelName(label.id, all);
  return (
    <fieldset className={s.list} aria-describedby={`${id}-hint`}>
      <legend>{title}</legend>
      {values.length > 0 && (
        <ul className={s.chips}>
          {values.map((value, row) => (
            <li key={value} className={s.chip} data-fault={at?.row === row || undefined}>
              <Stranger text={labelName(value, all)} />
              {!all.some((label) => label.id === value) && <span className={s.fault}>not in the mailbox</span>}
              {!disabled && (
                <button
                  type="button"
                  aria-label={`Remove ${labelName(value, all)}`}
                  onClick={() => {
                    onChange(values.toSpliced(row, 1));
                    add.current?.focus();
                  }}
                >
                  ×
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {!disabled && (
        <select
          ref={add}
          className={s.select}
          aria-label={`${title}: add a label`}
          aria-invalid={at ? true : undefined}
          aria-describedby={at ? `${id}-fault` : undefined}
          value=""
          onChange={({ target }) => onChange([...values, target.value])}
        >
          <option value="">Add a label…</option>
          {grouped(free).map((group) => (
            <optgroup key={group.title} label={group.title}>
              {group.labels.map((label) => (
                <option key={label.id} value={label.id}>
                  {named(label)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      )}
      <span className={s.hint} id={`${id}-hint`}>
        {hint}
      </span>
      {at?.fault && (
        <div className={s.fault} id={`${id}-fault`} role="alert">
          {at.fault}
        </div>
      )}
    </fieldset>
  );
}

type ChooseProps = {
  filter: ChoiceFilter;
  form: FilterForm;
  onChange: (form: FilterForm) => void;
  fault: string | undefined;
  disabled: boolean;
};

function Choose({ filter, form, onChange, fault, disabled }: ChooseProps) {
  const id = useId();
  const { title, hint } = FILTERS[filter];
  return (
    <fieldset className={s.choice} aria-describedby={`${id}-hint`} aria-invalid={fault ? true : undefined}>
      <legend>{title}</legend>
      <div className={s.segments}>
        {(['any', 'yes', 'no'] as const).map((choice) => (
          <Segment
            key={choice}
            name={`${id}-${filter}`}
            label={CHOICES[filter][choice]}
            checked={form[filter] === choice}
            disabled={disabled}
            onChoose={() => onChange({ ...form, [filter]: choice })}
          />
        ))}
      </div>
      <span className={s.hint} id={`${id}-hint`}>
        {hint}
      </span>
      {fault && (
        <div className={s.fault} role="alert">
          {fault}
        </div>
      )}
    </fieldset>
  );
}
