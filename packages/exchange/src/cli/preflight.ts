import { errorEntry, parseMailboxId } from '@openmesh/protocol';
import { loadConfig } from '../config/config.ts';
import { createRoute, type Decision } from '../message/route.ts';
import { withGpAddresses } from '../message/route-to-gp.ts';
import { hostSurroundings, type OpenForAdmin, type Surroundings, withSession } from './admin-session.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';
import { CommandRefusal, defineCommand } from './define-command.ts';
import { plain, printJson } from './print.ts';
import { readCount, readMailboxId } from './read-options.ts';
import { readStdin } from './read-stdin.ts';
import { deciderOf } from './rule/rule-session.ts';

const options = {
  from: { value: 'MAILBOX', says: 'who would send (needed)' },
  to: { value: 'ADDRESS', says: 'to whom, - to read it from standard input (needed)' },
  workflow: { value: 'WORKFLOW', says: 'what (needed)' },
  bytes: { value: 'N', says: 'how large the message would be (default 0)' },
  chunks: { value: 'N', says: 'in how many chunks (default 1)' },
} as const;

/** Longer than any address. */
const addressBytesMax = 1024;

type Given = Readonly<Partial<Record<keyof typeof options, string>>>;

function needed(given: Given, option: 'from' | 'to' | 'workflow'): string {
  const text = given[option];
  if (text === undefined) throw new CommandRefusal(exitCodes.usage, `--${option} is needed`);
  return text;
}

/** What would become of it, with all that rules would do: an operator may know where it would go. */
function view(outcome: Decision): object {
  switch (outcome.kind) {
    case 'resolve':
      return { accepted: true, resolvedLater: true };
    case 'refuse':
    case 'report': {
      const { kind, error, detail } = outcome;
      const { event, code, text, hint } = errorEntry(error);
      return { accepted: kind === 'report', error: { name: error, event, code, text, hint }, detail };
    }
    case 'deliver': {
      const { addressed, mailbox, copies, steps, deprecated } = outcome;
      const to = { addressed: addressed.mailboxId, mailbox: mailbox.mailboxId };
      return { accepted: true, ...to, copies: copies.map((copy) => copy.mailbox.mailboxId), steps, deprecated };
    }
  }
}

function print(outcome: Decision, io: CommandIo): void {
  if (outcome.kind === 'resolve') {
    io.stdout('would be accepted; its practice is found after that, and its sender told by a report if it cannot be\n');
    return;
  }
  if (outcome.kind !== 'deliver') {
    const { code, text, hint } = errorEntry(outcome.error);
    const how = outcome.kind === 'report' ? 'would be accepted and reported back' : 'would be refused';
    io.stdout(plain(`${how}: ${code} ${text} (${outcome.detail})`));
    io.stdout(`\n${hint}\n`);
    return;
  }
  io.stdout(`would go to ${outcome.mailbox.mailboxId}\n`);
  for (const { kind, ruleId, from, to, why } of outcome.steps) {
    io.stdout(`  ${kind} ${from} → ${to} by rule ${ruleId}${why === '' ? '' : `: ${why}`}\n`);
  }
  if (outcome.deprecated) io.stdout('the workflow is deprecated\n');
}

/** `preflight`: what would become of a message, without sending it. */
export function createPreflightCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): Command {
  return defineCommand({
    path: 'preflight',
    summary: 'say what would become of a message, without sending it',
    about: [
      'Decides as a send would, as things stand now: whether the message would be accepted, why not, and where it would go,',
      'redirects and copies included. Nothing is sent or written. The address of a patient belongs on standard input: an',
      'argument is seen by everybody on the machine, and kept by the shell. Nobody is asked about the patient.',
    ].join('\n'),
    positionals: [],
    options,
    exits: {
      failed: 'it would not be delivered',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options: given, json }, io) {
      const sender = readMailboxId(needed(given, 'from'));
      const named = needed(given, 'to');
      const to = named === '-' ? await readStdin(world.stdin, addressBytesMax) : named;
      const workflowId = needed(given, 'workflow');
      const sizeBytes = readCount('bytes', given.bytes, 0, 0, Number.MAX_SAFE_INTEGER);
      const totalChunks = readCount('chunks', given.chunks, 1, 1, 1_000_000);
      const outcome = await withSession(open, io, async (session) => {
        const { snapshot, nowMs } = await deciderOf(session, world);
        const loaded = loadConfig(io.env);
        if (!loaded.ok) throw new CommandRefusal(exitCodes.config, 'the settings are not good');
        const { unknownWorkflows, askedRegistrations, civilRegistration } = loaded.config.sending;
        const fixed = { internalMailboxes: new Set<never>(), now: () => nowMs };
        const rules = { unknownWorkflows, askedRegistrations, civilRegistration, ...fixed };
        const registry = { current: () => snapshot };
        const isOn = loaded.config.services.demographics.kind !== 'off';
        const route = withGpAddresses(createRoute(registry, rules), registry, { isOn });
        // As the wire reads it: an address is the same in capitals.
        const address = to.toUpperCase();
        return route({ sender, to: address, toMailbox: parseMailboxId(to), workflowId, totalChunks, sizeBytes });
      });
      if (json) printJson(io, view(outcome));
      else print(outcome, io);
      return outcome.kind === 'deliver' || outcome.kind === 'resolve' ? exitCodes.ok : exitCodes.failed;
    },
  });
}
