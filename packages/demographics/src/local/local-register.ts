import { dayInEngland } from '../calendar-date.ts';
import type { Demographics, TraceOutcome, TraceQuestion } from '../demographics.ts';
import { judge } from '../patient-record.ts';
import type { SurnameMatch } from '../surname.ts';
import { type RegisterEntry, readRegister, readRegisterLines } from './read-register.ts';

export interface LocalRegisterOptions {
  /** The register's text; see `readRegister` for its forms. */
  readonly text: string;
  readonly surnameMatch: SurnameMatch;
  readonly clock: { nowMs(): number };
}

/** A number may have been replaced more than once; a ring of replacements is an error of the register. */
const replacementsMax = 5;

/** A register of one's own, held in memory. Throws `RegisterFault` when it cannot be read. */
export function createLocalRegister({ text, ...options }: LocalRegisterOptions): Demographics {
  return registerOf(readRegister(text), options);
}

/** The same of its lines as they come. Rejects with `RegisterFault` when they cannot be read. */
export async function loadLocalRegister({
  lines,
  ...options
}: Omit<LocalRegisterOptions, 'text'> & { readonly lines: AsyncIterable<string> }): Promise<Demographics> {
  return registerOf(await readRegisterLines(lines), options);
}

function registerOf(
  entries: ReadonlyMap<string, RegisterEntry>,
  { surnameMatch, clock }: Omit<LocalRegisterOptions, 'text'>,
): Demographics {
  const find = ({ nhsNumber }: TraceQuestion): RegisterEntry | undefined => {
    let entry = entries.get(nhsNumber);
    for (let hop = 0; hop < replacementsMax && entry?.kind === 'superseded'; hop += 1) entry = entries.get(entry.by);
    return entry;
  };

  const answer = (question: TraceQuestion): TraceOutcome => {
    const entry = find(question);
    switch (entry?.kind) {
      case 'person':
        return judge(question, entry.record, { surnameMatch, today: dayInEngland(clock.nowMs()) });
      case 'invalidated':
        return { kind: 'not-found', why: 'invalidated' };
      case 'superseded':
      case undefined:
        return { kind: 'not-found', why: 'unknown' };
    }
  };

  return { trace: (question) => Promise.resolve(answer(question)), close: () => undefined };
}
