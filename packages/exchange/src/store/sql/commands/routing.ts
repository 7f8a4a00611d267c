import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { FamilyQuery, Kin, TrafficQuery, TrafficRecord } from '../../ledger/routing.ts';
import type { RouteStep, RoutingFacts } from '../../ledger/routing-records.ts';
import { all, run, type Talk } from '../question.ts';
import * as q from '../questions/routing.ts';

/** What played a part in where a message is, beside its row. */
export function* noteRouting(messageId: MessageId, routing: RoutingFacts, atMs: number): Talk<void> {
  const { addressedTo, made, steps } = routing;
  if (addressedTo !== null || made !== null) {
    yield* run(q.noteRouting, messageId, addressedTo, made?.as ?? null, made?.from ?? null, made?.origin ?? null);
  }
  let stepNo = 0;
  for (const step of steps) {
    stepNo += 1;
    const { kind, ruleId, ruleVersion, matched, from, to, why, copyId } = step;
    yield* run(q.insertStep, messageId, stepNo, atMs, kind, ruleId, ruleVersion, matched, from, to, why, copyId);
  }
}

interface NotedStep extends RouteStep {
  readonly messageId: MessageId;
  readonly atMs: number;
}

export function* readSteps(messageId: string): Talk<readonly NotedStep[]> {
  return (yield* all(q.readSteps, messageId)) as unknown as readonly NotedStep[];
}

/** A step in the words of a timeline. */
export function describeStep({ ruleId, ruleVersion, matched, from, to, why, copyId }: RouteStep): string {
  const rule = `rule ${ruleId} version ${ruleVersion} (${matched})`;
  const way = `${from} → ${to}`;
  return `${rule}: ${way}${copyId === null ? '' : ` as ${copyId}`}${why === '' ? '' : `, ${why}`}`;
}

/** A message with everything that was made from the same one or tells of it, in order of id. */
export function* family({ messageId, limit }: FamilyQuery): Talk<readonly Kin[]> {
  const rows = yield* all(q.listFamily, messageId, limit);
  const kin: Kin[] = [];
  for (const row of rows) {
    const steps = yield* readSteps(row.messageId);
    kin.push({ ...row, steps } as unknown as Kin);
  }
  return kin;
}

/** A page of what was sent, as far as a rule looks at it; made copies and what failed are left out. */
export function* traffic(query: TrafficQuery): Talk<readonly TrafficRecord[]> {
  const rows = yield* trafficRows(query);
  return rows.map(({ totalChunks, ...row }) => ({
    ...row,
    messageId: row.messageId as MessageId,
    isReport: row.messageType === 'REPORT',
    sender: row.sender as MailboxId | null,
    addressed: row.addressed as MailboxId | null,
    totalChunks: totalChunks ?? 0,
  }));
}

/** A page, put together from each place where messages of that kind are found. */
function* trafficRows({ afterMessageId, sender, addressed, limit }: TrafficQuery): Talk<readonly q.TrafficRow[]> {
  const found: q.TrafficRow[] = [];
  if (sender === null && addressed === null) return yield* all(q.listTraffic, afterMessageId, limit);
  const places = sender === null ? placesTo : placesFrom;
  for (const place of places) found.push(...(yield* all(place, afterMessageId, limit, sender ?? addressed)));
  return found.sort((a, b) => (a.messageId < b.messageId ? -1 : 1)).slice(0, limit);
}

const placesFrom = [q.listTrafficFrom, q.listNewTrafficFrom];
const placesTo = [q.listTrafficTo, q.listNewTrafficTo, q.listTrafficPast];
