import { STATUS_CODES } from 'node:http';
import { type ErrorName, errorCatalogue, errorNames, wireError } from '@openmesh/protocol';
import type { Reply } from '../api/machines/request.ts';
import { type Ending, refusal } from './ending.ts';
import type { FaultScript, FaultSubject } from './scripted-faults.ts';
import { CallerGone } from './wire/caller-gone.ts';

/**
 * Serves an admitted request as the script of faults says. A scripted status is answered instead of the work, so that the
 * token stays unused. Rejects with `CallerGone` when the answer is to be lost: the connection is then destroyed.
 */
export async function withFaults(
  faults: FaultScript | undefined,
  subject: FaultSubject,
  version: 1 | 2,
  serve: () => Promise<Ending>,
): Promise<Ending> {
  if (faults === undefined) return serve();
  const status = await faults.before(subject);
  if (status !== undefined) return scripted(status, version);
  const ending = await serve();
  const reply = faults.after(subject, ending.reply);
  if (reply !== 'lost') return { ...ending, reply };
  await abandon(ending.reply);
  throw new CallerGone();
}

/** Lets go of what an answer holds that will not be written: what never ran would not clean up either. */
async function abandon(reply: Reply): Promise<void> {
  if (reply.kind === 'plain') return;
  const items = (reply.kind === 'blocks' ? reply.blocks : reply.pieces)[Symbol.asyncIterator]();
  await items.next();
  await items.return?.();
}

/** The first error of each status whose text needs nothing that only a real fault has. */
function nameOf(status: number): ErrorName | undefined {
  return errorNames.find((name) => {
    const entry = errorCatalogue[name];
    return entry.status === status && !entry.text.includes('{');
  });
}

/** An answer of the catalogue's shape for any status; one that the catalogue lacks says its plain name. */
function scripted(status: number, version: 1 | 2): Ending {
  const name = nameOf(status);
  const text = STATUS_CODES[status] ?? 'Scripted Fault';
  const answered = { ...wireError(name ?? 'service-unavailable', version, name === undefined ? { text } : {}), status };
  const ending = refusal(answered, 'scripted-fault', `told to answer ${status}`);
  const wait: readonly (readonly [string, string])[] = status === 429 || status === 503 ? [['retry-after', '1']] : [];
  return { ...ending, reply: { ...ending.reply, headers: [...ending.reply.headers, ...wait] } };
}
