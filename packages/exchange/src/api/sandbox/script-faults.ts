import { invalidValue, type MailboxId, parseMailboxId } from '@openmesh/protocol';
import { operations } from '../../http/operation.ts';
import {
  delayMsMax,
  type FaultRule,
  type FaultScript,
  faultKinds,
  faultsMax,
  operationsOfKind,
} from '../../http/scripted-faults.ts';
import { type OpenOperation, type PlainReply, refuseAs, reply } from '../machines/request.ts';
import { type JsonReading, Members, readJson, refuse } from './read-json.ts';

type Script = Pick<FaultScript, 'add' | 'list' | 'clear'>;

const rulesMax = 100;
const timesMax = 1_000_000;
const seedMax = 2_147_483_647;
const seedDefault = 1;
const scriptable = operations.filter((name) => !['admin', 'mailbox-details', 'unmatched'].includes(name));

/** `GET …/admin/faults`: the script, and how often each fault has happened. */
export function listFaults({ faults }: { readonly faults: Script }): OpenOperation {
  return { name: 'admin', access: 'open', handle: () => Promise.resolve(script(faults)) };
}

/** `DELETE …/admin/faults`: forgets the script. */
export function clearFaults({ faults }: { readonly faults: Script }): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    handle() {
      faults.clear();
      return Promise.resolve(script(faults));
    },
  };
}

/** `POST …/admin/faults`: adds a rule, or a list of them; all or none. */
export function scriptFaults({ faults }: { readonly faults: Script }): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    async handle({ body }) {
      const json = await readJson(body);
      const reading = json.ok ? readRules(json.value, faults.list().length) : json;
      if (!reading.ok) return refuseAs(reading.failure, 'the script of faults was refused');
      faults.add(reading.value);
      return script(faults);
    },
  };
}

function readRules(value: unknown, known: number): JsonReading<readonly FaultRule[]> {
  const list = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (list.length > rulesMax) return refuse([invalidValue(['body'], `at most ${rulesMax} rules at once`)]);
  if (known + list.length > faultsMax) return refuse([invalidValue(['body'], `at most ${faultsMax} rules altogether`)]);
  const rules: FaultRule[] = [];
  const details = list.flatMap((item, index) => {
    const members = new Members(item, Array.isArray(value) ? [String(index)] : []);
    const rule = readRule(members);
    if (rule !== undefined) rules.push(rule);
    return members.details;
  });
  return details.length > 0 ? refuse(details) : { ok: true, value: rules };
}

function readRule(members: Members): FaultRule | undefined {
  members.require('kind');
  const kind = members.choice('kind', faultKinds);
  const mailbox = readMailbox(members);
  const operation = members.choice('operation', scriptable);
  const status = members.integer('status', 400, 599);
  const delayMs = members.integer('delayMs', 0, delayMsMax);
  const times = members.integer('times', 1, timesMax);
  const probability = members.fraction('probability') ?? 1;
  const seed = members.integer('seed', 0, seedMax) ?? seedDefault;
  if (kind === undefined) return undefined;
  const possible = operationsOfKind[kind];
  if (operation !== undefined && possible?.includes(operation) === false) {
    members.refuse('operation', `must be ${possible.join(' or ')} for kind ${kind}`);
  }
  if (kind === 'status') members.require('status');
  if (kind === 'delay') members.require('delayMs');
  return { kind, mailbox, operation, status, delayMs, times, probability, seed };
}

function readMailbox(members: Members): MailboxId | undefined {
  const raw = members.text('mailbox', 100);
  if (raw === undefined) return undefined;
  return parseMailboxId(raw) ?? members.refuse('mailbox', 'must be a mailbox id');
}

function script(faults: Script): PlainReply {
  const list = faults.list().map(({ faultId, happened, ...rule }) => ({ id: faultId, ...rule, happened }));
  return reply({ status: 200, contentType: 'application/json', body: JSON.stringify({ faults: list }) });
}
