import type { MachineOperation } from './request.ts';

/** What a path means before anybody is asked: the mailbox segment as written, and the other parameters. */
export interface Matched {
  readonly operations: Readonly<Partial<Record<string, MachineOperation>>>;
  /** Percent-decoded; undefined for addresses that belong to no mailbox. */
  readonly mailbox: string | undefined;
  readonly params: readonly string[];
}

/** The operations by their place in the address, each a method at that place. */
export interface MachineOperations {
  readonly handshake: MachineOperation;
  readonly sendMessage: MachineOperation;
  readonly sendChunk: MachineOperation;
  readonly checkInbox: MachineOperation;
  readonly countInbox: MachineOperation;
  readonly downloadMessage: MachineOperation;
  readonly downloadChunk: MachineOperation;
  readonly headMessage: MachineOperation;
  readonly acknowledge: MachineOperation;
  readonly trackOutbox: MachineOperation;
  readonly richInbox: MachineOperation;
  readonly richOutbox: MachineOperation;
  readonly clientUpdate: MachineOperation;
  readonly lookupEndpoint: MachineOperation;
  readonly searchWorkflow: MachineOperation;
  readonly showWorkflows: MachineOperation;
  readonly listWorkflows: MachineOperation;
  readonly preflight: MachineOperation;
  readonly health: MachineOperation;
}

type Methods = Matched['operations'];
export type Router = (path: string) => Matched | undefined;

const segmentsMax = 8;

/**
 * Reads a path. Fixed words win over parameters; a trailing slash means nothing; segments are percent-decoded once,
 * after splitting, so that an encoded slash never makes a new segment. Undefined: no such address, or it cannot be read.
 */
export function createRouter(operations: MachineOperations, extra: Router = () => undefined): Router {
  const inMailbox = mailboxRoutes(operations);
  const healthOnly: Methods = { GET: operations.health, HEAD: operations.health };
  const lookups: Readonly<Record<string, readonly [Methods, number]>> = {
    endpointlookup: [{ GET: operations.lookupEndpoint }, 2],
    workflowsearch: [{ GET: operations.searchWorkflow }, 1],
  };
  const pages: Readonly<Record<string, Methods>> = {
    '/workflows': { GET: operations.showWorkflows },
    '/workflows.json': { GET: operations.listWorkflows },
  };
  const healthWords = new Set(['/health', '/_status', '/_ping', '/healthcheck']);

  return (path) => {
    const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    if (healthWords.has(trimmed)) return { operations: healthOnly, mailbox: undefined, params: [] };
    const page = Object.hasOwn(pages, trimmed) ? pages[trimmed] : undefined;
    if (page !== undefined) return { operations: page, mailbox: undefined, params: [] };
    const special = extra(trimmed);
    if (special !== undefined) return special;
    const segments = trimmed.split('/', segmentsMax + 1);
    if (segments[1] !== 'messageexchange' || segments.length < 3 || segments.length > segmentsMax) return undefined;
    const word = segments[2] ?? '';
    const rest = decodeSegments(segments.slice(3));
    if (rest === undefined) return undefined;
    if (word === '_ping' || word === 'deepping')
      return rest.length === 0 ? { operations: healthOnly, mailbox: undefined, params: [] } : undefined;
    const lookup = Object.hasOwn(lookups, word) ? lookups[word] : undefined;
    if (lookup !== undefined) {
      const [methods, count] = lookup;
      return rest.length <= count ? { operations: methods, mailbox: undefined, params: rest } : undefined;
    }
    const mailbox = decodeSegments([word])?.[0];
    const found = mailbox === undefined ? undefined : inMailbox(rest);
    return found === undefined ? undefined : { mailbox, ...found };
  };
}

export function decodeSegments(segments: readonly string[]): readonly string[] | undefined {
  if (!segments.some((segment) => segment.includes('%'))) return segments;
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}

function mailboxRoutes(
  operations: MachineOperations,
): (rest: readonly string[]) => Pick<Matched, 'operations' | 'params'> | undefined {
  const top: Methods = { GET: operations.handshake, POST: operations.handshake };
  const words: Readonly<Record<string, Methods>> = {
    outbox: { POST: operations.sendMessage },
    inbox: { GET: operations.checkInbox },
    count: { GET: operations.countInbox },
    update: { POST: operations.clientUpdate },
    preflight: { POST: operations.preflight },
    'outbox/tracking': { GET: operations.trackOutbox },
    'outbox/rich': { GET: operations.richOutbox },
    'inbox/rich': { GET: operations.richInbox },
  };
  const message: Methods = { GET: operations.downloadMessage, HEAD: operations.headMessage };
  const chunk: Methods = { GET: operations.downloadChunk };
  const later: Methods = { POST: operations.sendChunk };
  const acknowledged: Methods = { PUT: operations.acknowledge };
  const tracking: Methods = { GET: operations.trackOutbox };

  return (rest) => {
    const [box, second, third, fourth] = rest;
    if (box === undefined) return { operations: top, params: [] };
    if (rest.length <= 2) {
      const word = rest.length === 1 ? box : `${box}/${second}`;
      const fixed = Object.hasOwn(words, word) ? words[word] : undefined;
      if (fixed !== undefined) return { operations: fixed, params: [] };
    }
    if (second === undefined) return undefined;
    if (box === 'inbox') {
      if (third === undefined) return { operations: message, params: [second] };
      if (fourth === undefined) return { operations: chunk, params: [second, third] };
      const isStatus = rest.length === 4 && third === 'status' && fourth === 'acknowledged';
      return isStatus ? { operations: acknowledged, params: [second] } : undefined;
    }
    if (box !== 'outbox' || third === undefined || rest.length > 3) return undefined;
    if (second === 'tracking') return { operations: tracking, params: [third] };
    return { operations: later, params: [second, third] };
  };
}
