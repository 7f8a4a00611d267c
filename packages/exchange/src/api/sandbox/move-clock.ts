import { durationDaysMax, isoMicros, parseIsoDuration } from '@openmesh/protocol';
import { type OpenOperation, type PlainReply, refuseAs, reply } from '../machines/request.ts';
import { Members, readJson } from './read-json.ts';

/** The clock of message life, which can be moved, against the machine's, which cannot. */
export interface ClockParts {
  readonly clock: { nowMs(): number; offsetMs(): number; advance(ms: number): Promise<void> };
  /** Does now what is due by the clock: expiry, reports, deletion. */
  readonly clockwork: { runAll(): Promise<void> };
}

const offsetMsMax = durationDaysMax * 86_400_000;

/** `GET …/admin/clock`: both clocks. */
export function readClock({ clock }: ClockParts): OpenOperation {
  return { name: 'admin', access: 'open', handle: () => Promise.resolve(bothClocks(clock)) };
}

/** `POST …/admin/clock` with `{"advance":"P5D"}`: answers when everything that has come due is done. */
export function moveClock({ clock, clockwork }: ClockParts): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    async handle({ body }) {
      const json = await readJson(body);
      if (!json.ok) return refuseAs(json.failure, 'the body of the clock was refused');
      const members = new Members(json.value);
      const raw = members.requiredText('advance', 64);
      const ms = raw === '' ? undefined : parseIsoDuration(raw);
      if (raw !== '' && ms === undefined)
        members.refuse('advance', 'must be an ISO 8601 duration such as P5D or PT2H30M');
      if (clock.offsetMs() + (ms ?? 0) > offsetMsMax) {
        members.refuse('advance', `would put the clock more than ${durationDaysMax} days ahead; reset puts it back`);
      }
      if (members.details.length > 0 || ms === undefined) {
        return refuseAs({ kind: 'validation', details: members.details }, 'the body of the clock was refused');
      }
      await clock.advance(ms);
      await clockwork.runAll();
      return bothClocks(clock);
    },
  };
}

function bothClocks(clock: ClockParts['clock']): PlainReply {
  const nowMs = clock.nowMs();
  const offsetMs = clock.offsetMs();
  const value = {
    now: isoMicros(nowMs, 'offset'),
    machine_now: isoMicros(nowMs - offsetMs, 'offset'),
    offset_seconds: offsetMs / 1000,
  };
  return reply({ status: 200, contentType: 'application/json', body: JSON.stringify(value) });
}
