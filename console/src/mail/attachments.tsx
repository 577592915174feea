// The files that go out with a letter.
import { useId } from 'react';
import { useApi } from '../api/client';
import type { Connector } from '../connectors/connector';
import { Button, Problem } from '../ui';
import { Stranger } from '../ui/stranger';
import { type Attached, inRequest, isTooMuch, prepared } from './attaching';
import { sizeInWords } from './files';
import s from './mail.module.css';

type AttachmentsProps = {
  connector: Connector;
  files: Attached[];
  setFiles: (change: (before: Attached[]) => Attached[]) => void;
  fault: string | undefined;
};

export function Attachments({ connector, files, setFiles, fault }: AttachmentsProps) {
  const api = useApi();
  const id = useId();
  const ready = async (one: Attached, taken: number) => {
    const change = (part: Partial<Attached>) =>
      setFiles((all) => all.map((each) => (each.id === one.id ? { ...each, ...part } : each)));
    try {
      change({ state: 'ready', ready: await prepared(api, connector.id, one.file, taken), error: undefined });
    } catch (failure) {
      change({ state: 'failed', error: failure });
    }
  };
  const add = (chosen: File[]) => {
    let taken = inRequest(files);
    const added = chosen.map((file): Attached => ({ id: crypto.randomUUID(), file, state: 'reading' }));
    setFiles((all) => [...all, ...added]);
    for (const one of added) {
      void ready(one, taken);
      taken += one.file.size;
    }
  };
  return (
    <div className={s.attaching}>
      <label htmlFor={id}>Attachments</label>
      <input
        id={id}
        type="file"
        multiple
        aria-invalid={fault ? true : undefined}
        onChange={({ target }) => {
          add([...(target.files ?? [])]);
          // The same file can be chosen again after it was removed.
          target.value = '';
        }}
      />
      <ul>
        {files.map((one) => (
          <li key={one.id} className={s.file}>
            <div className={s.fileName}>
              <strong>
                <Stranger text={one.file.name} />
              </strong>
              <span className={s.quiet} role="status">
                {sizeInWords(one.file.size)}
                {one.state === 'reading' && ', uploading…'}
              </span>
            </div>
            <div className={s.toolbar}>
              {one.state === 'failed' && (
                <Button small onClick={() => void ready(one, inRequest(files))}>
                  Try again
                </Button>
              )}
              <Button
                small
                aria-label={`Remove ${one.file.name}`}
                onClick={() => setFiles((all) => all.filter((each) => each.id !== one.id))}
              >
                Remove
              </Button>
            </div>
            {one.state === 'failed' && <Problem error={one.error} />}
          </li>
        ))}
      </ul>
      {isTooMuch(files.map(({ file }) => file)) && <p className={s.fault}>A mail takes 25 MB of files at most.</p>}
      {fault && (
        <p className={s.fault} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
