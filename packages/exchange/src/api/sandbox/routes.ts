import { decodeSegments, type Matched, type Methods, methods, type Router } from '../machines/routes.ts';
import { addEvent } from './add-event.ts';
import { createReport } from './create-report.ts';
import { mailboxDetails } from './mailbox-details.ts';
import { messageDetails } from './message-details.ts';
import { type ClockParts, moveClock, readClock } from './move-clock.ts';
import { type ResetParts, resetAll, resetMailbox } from './reset.ts';
import { clearFaults, listFaults, scriptFaults } from './script-faults.ts';

export type { SandboxStore } from './reset.ts';

export type SandboxParts = ResetParts &
  ClockParts &
  Parameters<typeof createReport>[0] &
  Parameters<typeof addEvent>[0] &
  Parameters<typeof mailboxDetails>[0] &
  Parameters<typeof messageDetails>[0] &
  Parameters<typeof scriptFaults>[0];

const longPrefix = '/messageexchange/admin/';
const shortPrefix = '/admin/';
const mailboxPrefix = '/messageexchange/mailbox/';

/** The routes of the sandbox's administration: nobody is asked who they are. */
export function sandboxRoutes(parts: SandboxParts): Router {
  const mailbox = methods({ GET: mailboxDetails(parts) });
  const report = methods({ POST: createReport(parts) });
  /** By the shape of what follows the prefix; a star stands for a parameter. */
  const table: readonly (readonly [shape: readonly string[], Methods])[] = [
    [['reset'], methods({ DELETE: resetAll(parts) })],
    [['reset', '*'], methods({ DELETE: resetMailbox(parts) })],
    [['mailbox', '*'], mailbox],
    [['message', '*'], methods({ GET: messageDetails(parts) })],
    [['message', '*', 'event'], methods({ POST: addEvent(parts) })],
    [['clock'], methods({ GET: readClock(parts), POST: moveClock(parts) })],
    [['faults'], methods({ GET: listFaults(parts), POST: scriptFaults(parts), DELETE: clearFaults(parts) })],
  ];

  return (path) => {
    // The official sandbox has this one under the long prefix only.
    if (path === `${longPrefix}report`) return { operations: report, mailbox: undefined, params: [] };
    if (path.startsWith(mailboxPrefix)) return match(mailbox, ['*'], path.slice(mailboxPrefix.length));
    const prefix = [longPrefix, shortPrefix].find((candidate) => path.startsWith(candidate));
    if (prefix === undefined) return undefined;
    const rest = path.slice(prefix.length);
    for (const [shape, operations] of table) {
      const matched = match(operations, shape, rest);
      if (matched !== undefined) return matched;
    }
    return undefined;
  };
}

function match(operations: Methods, shape: readonly string[], rest: string): Matched | undefined {
  const segments = rest.split('/', shape.length + 1);
  if (segments.length !== shape.length) return undefined;
  if (!shape.every((part, index) => part === '*' || part === segments[index])) return undefined;
  const params = decodeSegments(segments.filter((_, index) => shape[index] === '*'));
  return params === undefined ? undefined : { operations, mailbox: undefined, params };
}
