// A letter is written: a draft first, then sent once the recipients are confirmed.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiProblem, type DraftIn, type Message } from 'email-connectors-client';
import { useEffect, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { useApi } from '../api/client';
import { keys } from '../api/keys';
import { asProblem } from '../api/problem';
import type { Connector } from '../connectors/connector';
import {
  Actions,
  Button,
  Confirm,
  exact,
  Loading,
  Notice,
  PageHead,
  Panel,
  Problem,
  TextArea,
  TextField,
  useToast,
} from '../ui';
import { Attachments } from './attachments';
import type { Attached } from './attaching';
import {
  type About,
  BLANK,
  changeOf,
  fieldOf,
  type Letter,
  letterAbout,
  letterOf,
  outgoingOf,
  recipientsIn,
} from './compose';
import { Copies, Forwarded, From } from './compose-fields';
import s from './mail.module.css';
import { useMessage } from './queries';
import { Failed, Sending } from './sending';
import { unsent, type Unsent } from './unsent';

/** Finds what the letter is about; then it can be written. */
export default function ComposeView({ connector }: { connector: Connector }) {
  const api = useApi();
  const [params] = useSearchParams();
  const draftId = params.get('draft') ?? '';
  const aboutId = params.get('about') ?? '';
  const how = howOf(params.get('how'));
  const about = useMessage(connector.id, aboutId, aboutId !== '');
  const draft = useQuery({
    queryKey: keys.mail(connector.id, 'draft', draftId),
    queryFn: ({ signal }) => api.drafts.get(connector.id, draftId, {}, { signal }),
    enabled: draftId !== '',
    // Never under what is typed.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const waited = draftId !== '' ? draft : about;
  const key = `${connector.id} ${draftId} ${aboutId} ${how}`;
  if (draftId === '' && aboutId === '')
    return <Writer key={key} keep={key} connector={connector} about={undefined} draft={undefined} />;
  if (waited.error && !waited.data) {
    return (
      <>
        <PageHead title="Write" />
        <Problem error={waited.error} onRetry={() => void waited.refetch()} />
      </>
    );
  }
  if (!waited.data) return <Loading what={draftId !== '' ? 'Reading the draft' : 'Reading the message'} />;
  const message = draftId === '' ? about.data : undefined;
  return (
    <Writer
      key={key}
      keep={key}
      connector={connector}
      about={message && { how, message }}
      draft={draftId === '' ? undefined : draft.data}
    />
  );
}

function howOf(text: string | null): 'reply' | 'reply-all' | 'forward' {
  return text === 'reply-all' || text === 'forward' ? text : 'reply';
}

type Props = { keep: string; connector: Connector; about: About; draft: DraftIn<'full'> | undefined };

function Writer({ keep, connector, about, draft }: Props) {
  const api = useApi();
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [start] = useState(
    (): Unsent => unsent.get(keep) ?? { letter: first(about, draft, connector), files: [], draftId: draft?.id },
  );
  const [letter, setLetter] = useState(start.letter);
  const [files, setFiles] = useState(start.files);
  const [draftId, setDraftId] = useState(start.draftId);
  const [saved, setSaved] = useState(start.saved ?? (draft && { letter: start.letter, attachments: [] }));
  const [busy, setBusy] = useState<'saving' | 'sending' | 'discarding'>();
  const [error, setError] = useState<unknown>();
  const [tried, setTried] = useState(false);
  const [confirming, setConfirming] = useState<Message>();
  const [discarding, setDiscarding] = useState(false);
  // One letter is made and sent once, however often it is tried.
  const [makeKey, setMakeKey] = useState(() => crypto.randomUUID());
  const [sendKey, setSendKey] = useState(() => crypto.randomUUID());
  const form = useRef<HTMLFormElement>(null);

  const attachments = files.flatMap(({ ready }) => (ready ? [ready] : []));
  const isSaved =
    saved !== undefined && same(saved.letter, letter) && saved.attachments.length === attachments.length;
  const isUntouched = same(letter, start.letter) && files.length === 0;
  useEffect(() => {
    unsent.keep(keep, { letter, files, draftId, saved });
  }, [keep, letter, files, draftId, saved]);
  useEffect(() => {
    if (isSaved || isUntouched) return;
    const hold = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', hold);
    return () => removeEventListener('beforeunload', hold);
  }, [isSaved, isUntouched]);

  const problem = error === undefined ? undefined : asProblem(error);
  const place = fieldOf(problem?.field);
  const hadHtml = Boolean(draft?.message.body?.html);
  const hadFiles = draft?.message.attachments?.length ?? 0;
  /** Another letter than the one that was tried. */
  const renew = () => {
    setMakeKey(crypto.randomUUID());
    setSendKey(crypto.randomUUID());
  };
  const set = (change: Partial<Letter>) => {
    setLetter({ ...letter, ...change });
    setError(undefined);
    renew();
  };
  const changeFiles = (change: (before: Attached[]) => Attached[]) => {
    setFiles(change);
    renew();
  };
  const failed = (failure: unknown) => {
    setError(failure);
    // Under the same key it stays unknown. Whoever tries again has been told to look first.
    if (asProblem(failure).code === 'outcome_unknown') renew();
  };
  const faultOf = (field: 'to' | 'cc' | 'bcc') => {
    if (place?.field === field) return problem?.detail;
    return tried ? recipientsIn(letter[field]).fault : undefined;
  };
  const faultAt = (field: keyof Letter) => (place?.field === field ? problem?.detail : undefined);
  const unready = files.filter(({ state }) => state !== 'ready');

  /** Answers the draft's id; undefined if it could not be saved, which is shown then. */
  const save = async (): Promise<string | undefined> => {
    setTried(true);
    const faulty = (['to', 'cc', 'bcc'] as const).find((field) => recipientsIn(letter[field]).fault !== undefined);
    if (faulty || unready.length > 0) {
      focusFault(form.current);
      return undefined;
    }
    setError(undefined);
    try {
      const id = await stored();
      if (id === undefined) return undefined;
      setDraftId(id);
      setSaved({ letter, attachments });
      void client.invalidateQueries({ queryKey: keys.mail(connector.id, 'drafts') });
      return id;
    } catch (failure) {
      // A draft that was sent or deleted elsewhere: the letter is kept, and saved as another one.
      if (failure instanceof ApiProblem && failure.status === 404 && draftId !== undefined) setDraftId(undefined);
      failed(failure);
      focusFault(form.current);
      return undefined;
    }
  };

  const stored = async (): Promise<string | undefined> => {
    if (draftId !== undefined && isSaved) return draftId;
    if (draft && draftId !== undefined) {
      const change = changeOf(letter, saved?.letter ?? start.letter, hadHtml, attachments);
      if (!change) return undefined;
      return (await api.drafts.update(connector.id, draftId, change)).id;
    }
    const outgoing = outgoingOf(letter, about, attachments);
    if (!outgoing) return undefined;
    const answered =
      draftId === undefined
        ? await api.drafts.create(connector.id, outgoing, { idempotencyKey: makeKey })
        : await api.drafts.replace(connector.id, draftId, outgoing);
    return answered.id;
  };

  const saveOnly = async () => {
    setBusy('saving');
    if (await save()) toast('The draft is saved.');
    setBusy(undefined);
  };
  const prepare = async () => {
    setBusy('saving');
    const id = await save();
    if (id !== undefined) {
      try {
        // What is confirmed is what the mailbox has, not what was typed.
        setConfirming((await api.drafts.get(connector.id, id)).message);
      } catch (failure) {
        setError(failure);
      }
    }
    setBusy(undefined);
  };
  const send = async () => {
    if (draftId === undefined) return;
    setBusy('sending');
    try {
      const sent = await api.drafts.send(connector.id, draftId, { idempotencyKey: sendKey });
      unsent.drop(keep);
      void client.invalidateQueries({ queryKey: keys.mail(connector.id) });
      toast('The mail is sent.');
      void navigate(
        `/mail/threads/${encodeURIComponent(sent.thread_id)}?connector=${encodeURIComponent(connector.id)}`,
        { replace: true },
      );
    } catch (failure) {
      setConfirming(undefined);
      failed(failure);
      setBusy(undefined);
    }
  };
  const discard = async () => {
    setBusy('discarding');
    try {
      if (draftId !== undefined) await api.drafts.remove(connector.id, draftId);
      unsent.drop(keep);
      void client.invalidateQueries({ queryKey: keys.mail(connector.id, 'drafts') });
      toast('The draft is deleted.');
      void navigate(-1);
    } catch (failure) {
      setDiscarding(false);
      setError(failure);
      setBusy(undefined);
    }
  };

  return (
    <>
      <PageHead title={titleOf(about, draft)} text={`From ${connector.email_address}`} />
      <form
        ref={form}
        className={s.compose}
        noValidate
        aria-label="Mail"
        onSubmit={(event) => {
          event.preventDefault();
          if (busy === undefined) void prepare();
        }}
      >
        <Panel>
          <div className={s.fields}>
            <TextField
              label="To"
              hint="With commas between: bo@example.com, Ada <ada@example.com>"
              value={letter.to}
              onChange={({ target }) => set({ to: target.value })}
              fault={faultOf('to')}
              autoComplete="off"
              spellCheck={false}
            />
            <Copies letter={letter} set={set} faultOf={faultOf} />
            <From connector={connector} letter={letter} set={set} faultAt={faultAt} />
            <TextField
              label="Subject"
              value={letter.subject}
              maxLength={998}
              onChange={({ target }) => set({ subject: target.value })}
              fault={faultAt('subject')}
              autoComplete="off"
            />
            <TextArea
              label="Text"
              value={letter.text}
              rows={14}
              dir="auto"
              onChange={({ target }) => set({ text: target.value })}
              fault={faultAt('text')}
              hint={
                hadHtml
                  ? 'This draft has formatting. Once its text is changed here, it goes out as plain text.'
                  : undefined
              }
            />
            {about?.how === 'forward' && <Forwarded about={about} letter={letter} set={set} />}
            {hadFiles > 0 && (
              <Notice>
                The draft has {hadFiles} {hadFiles === 1 ? 'attachment' : 'attachments'}, which{' '}
                {hadFiles === 1 ? 'stays' : 'stay'}. Files that are added here would take{' '}
                {hadFiles === 1 ? 'its' : 'their'} place.
              </Notice>
            )}
            <Attachments
              connector={connector}
              files={files}
              setFiles={changeFiles}
              fault={place?.field === 'attachments' ? problem?.detail : undefined}
            />
            {tried && unready.length > 0 && <p className={s.fault}>Wait until every file is ready, or remove it.</p>}
          </div>
        </Panel>
        {problem && place === undefined && <Failed error={error} letter={letter} connector={connector} />}
        <Actions>
          <Button look="primary" type="submit" busy={busy === 'saving' || busy === 'sending'}>
            Send…
          </Button>
          <Button busy={busy === 'saving'} disabled={isSaved} onClick={() => void saveOnly()}>
            {isSaved ? 'Draft saved' : 'Save the draft'}
          </Button>
          <Button onClick={() => setDiscarding(true)}>Discard</Button>
        </Actions>
      </form>
      {confirming && (
        <Sending
          connector={connector}
          message={confirming}
          busy={busy === 'sending'}
          onSend={() => void send()}
          onClose={() => setConfirming(undefined)}
        />
      )}
      {discarding && (
        <Confirm
          title="Discard the mail?"
          action="Discard"
          danger
          busy={busy === 'discarding'}
          onConfirm={() => void discard()}
          onClose={() => setDiscarding(false)}
        >
          <p>
            {draftId === undefined ? 'What you typed is lost.' : 'The draft is deleted for good, also at the provider.'}
          </p>
        </Confirm>
      )}
    </>
  );
}

function first(about: About, draft: DraftIn<'full'> | undefined, connector: Connector): Letter {
  if (draft) return letterOf(draft.message);
  return about ? letterAbout(about, connector.email_address, exact) : BLANK;
}

function titleOf(about: About, draft: unknown): string {
  if (draft) return 'Draft';
  if (!about) return 'Write';
  return { reply: 'Reply', 'reply-all': 'Reply to all', forward: 'Forward' }[about.how];
}

function same(one: Letter, other: Letter): boolean {
  return (Object.keys(one) as (keyof Letter)[]).every((field) => one[field] === other[field]);
}

function focusFault(form: HTMLElement | null): void {
  setTimeout(() => form?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
