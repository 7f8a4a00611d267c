import { parseMessageId } from '@openmesh/protocol';
import { type Lineage, readLineage } from '../message/lineage.ts';
import { lineageEvents } from '../message/lineage-events.ts';
import type { Kin } from '../store/ledger/routing.ts';
import { type OpenForAdmin, withSession } from './admin-session.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';
import { CommandRefusal, defineCommand } from './define-command.ts';
import { instantText, plain, printJson } from './print.ts';

const indent = '    ';

function describe(kin: Kin): string {
  const { messageId, messageType, sender, recipient, addressedTo, workflowId, state } = kin;
  const to =
    addressedTo === null || addressedTo === recipient ? recipient : `${recipient}, addressed to ${addressedTo}`;
  const what = kin.madeAs ?? (messageType === 'REPORT' ? 'report' : 'sent');
  return `${what} ${messageId}  ${instantText(kin.createdAtMs)}  ${sender ?? 'exchange'} → ${to ?? 'nobody'}  ${workflowId}  ${state}`;
}

/** The tree of what was made of what; each message once, for a family has no circles. */
function printTree(lineage: Lineage, io: CommandIo): void {
  const { messages, edges } = lineage;
  const children = new Set(edges.map(({ to }) => to));
  const write = (kin: Kin, depth: number): void => {
    io.stdout(`${indent.repeat(depth)}${plain(describe(kin))}\n`);
    for (const { kind, ruleId, ruleVersion, from, to, why } of kin.steps) {
      const because = why === '' ? '' : `: ${why}`;
      io.stdout(
        plain(`${indent.repeat(depth + 1)}${kind} ${from} → ${to} by rule ${ruleId} version ${ruleVersion}${because}`),
      );
      io.stdout('\n');
    }
    for (const edge of edges) {
      const next = edge.from === kin.messageId ? messages.find(({ messageId }) => messageId === edge.to) : undefined;
      if (next !== undefined && depth < messages.length) write(next, depth + 1);
    }
  };
  for (const kin of messages) if (!children.has(kin.messageId)) write(kin, 0);
}

/** `message lineage`: everything that hangs together with a message. */
export function createMessageLineage(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'message lineage',
    summary: 'show the original, redirects, copies, resends and reports that belong to a message',
    about: [
      'Shows the whole family of a message, whichever of them MESSAGE is, with the rules that played a part. Without texts:',
      'nothing personal is shown.',
    ].join('\n'),
    positionals: ['MESSAGE'],
    options: { fhir: { says: 'print a FHIR R4 Bundle of AuditEvents instead' } },
    exits: {
      failed: 'there is no such message',
      badInput: 'not a message id',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ positionals, options, json }, io) {
      const messageId = parseMessageId(positionals[0] ?? '');
      if (messageId === undefined) throw new CommandRefusal(exitCodes.badInput, 'not a message id');
      const lineage = await withSession(open, io, ({ ledger }) => readLineage(ledger.routing, messageId));
      if (lineage === null) {
        const say = `no message ${messageId}: check the id; records are removed when their retention is over`;
        throw new CommandRefusal(exitCodes.failed, say);
      }
      if (options.fhir !== undefined) printJson(io, lineageEvents(lineage));
      else if (json) printJson(io, lineage);
      else printTree(lineage, io);
      if (lineage.truncated) io.stderr('there are more of them than are shown\n');
      return exitCodes.ok;
    },
  });
}
