import type { ClientConnection } from '../client-connection.ts';
import type { MailboxPair } from '../lifecycle/operations.ts';
import type { TokenMaker } from '../token.ts';

export interface InboxTimes {
  readonly list: number[];
  readonly send: number[];
  readonly acknowledge: number[];
}

/** No times yet. */
export function noTimes(): InboxTimes {
  return { list: [], send: [], acknowledge: [] };
}

export interface ProbeOptions {
  readonly connection: ClientConnection;
  readonly tokens: TokenMaker;
  readonly pair: MailboxPair;
  readonly probes: number;
  /** How many the inbox must say are waiting. */
  readonly waiting: number;
  /** Taken to; in ms. */
  readonly times: InboxTimes;
}

const bodyBytes = 200;

/**
 * Lists the first page of an inbox, sends one message to it and acknowledges its oldest, one request at a time, so that
 * its size stays as it is. Rejects on a wrong answer.
 */
export async function probeInbox(options: ProbeOptions): Promise<void> {
  const { connection, tokens, pair, times } = options;
  const inbox = `/messageexchange/${pair.recipient.mailbox}/inbox`;
  const head = (line: string, caller: MailboxPair['sender']): string =>
    `${line} HTTP/1.1\r\nhost: localhost\r\naccept: application/vnd.mesh.v2+json\r\n` +
    `authorization: ${tokens.make(caller)}\r\n`;
  for (let probe = 0; probe < options.probes; probe += 1) {
    const listed = await timed(times.list, () => connection.ask(head(`GET ${inbox}`, pair.recipient)));
    const listing = JSON.parse(check('list', listed, 200)) as Listing;
    const oldest = listing.messages[0];
    if (listing.approx_inbox_count !== options.waiting || oldest === undefined) {
      throw new Error(`an inbox of ${options.waiting} says it holds ${listing.approx_inbox_count}`);
    }
    const send =
      head(`POST /messageexchange/${pair.sender.mailbox}/outbox`, pair.sender) +
      `mex-to: ${pair.recipient.mailbox}\r\nmex-workflowid: BENCH_WORKFLOW\r\nmex-localid: bench\r\n`;
    check('send', await timed(times.send, () => connection.upload(send, 0, bodyBytes)), 202);
    const acknowledge = `${head(`PUT ${inbox}/${oldest}/status/acknowledged`, pair.recipient)}content-length: 0\r\n`;
    check('acknowledge', await timed(times.acknowledge, () => connection.ask(acknowledge)), 200);
  }
}

interface Listing {
  readonly messages: readonly string[];
  readonly approx_inbox_count: number;
}

async function timed<Result>(times: number[], ask: () => Promise<Result>): Promise<Result> {
  const startedMs = performance.now();
  const answer = await ask();
  times.push(performance.now() - startedMs);
  return answer;
}

function check(what: string, answer: { readonly status: number; readonly text: string }, status: number): string {
  if (answer.status !== status) throw new Error(`${what} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  return answer.text;
}
