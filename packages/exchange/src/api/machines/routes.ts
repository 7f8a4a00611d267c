import type { MachineOperation } from './request.ts';

/** What a path means before anybody is asked: the mailbox segment as written, and the other parameters. */
export interface Matched {
  readonly operations: Methods;
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

/** By method. Maps, here and below: a word cut out of a request is looked up in one without being interned first. */
export type Methods = ReadonlyMap<string, MachineOperation>;
export type Router = (path: string) => Matched | undefined;

const segmentsMax = 8;
const fixedSeconds: ReadonlySet<string> = new Set(['tracking', 'rich']);

/**
 * Reads a path. Fixed words win over parameters; a trailing slash means nothing; segments are percent-decoded once,
 * after splitting, so that an encoded slash never makes a new segment. Undefined: no such address, or it cannot be read.
 */
export function createRouter(operations: MachineOperations, extra: Router = () => undefined): Router {
  const inMailbox = mailboxRoutes(operations);
  const healthOnly = methods({ GET: operations.health, HEAD: operations.health });
  const lookups = new Map<string, readonly [Methods, number]>([
    ['endpointlookup', [methods({ GET: operations.lookupEndpoint }), 2]],
    ['workflowsearch', [methods({ GET: operations.searchWorkflow }), 1]],
  ]);
  const pages = new Map<string, Methods>([
    ['/workflows', methods({ GET: operations.showWorkflows })],
    ['/workflows.json', methods({ GET: operations.listWorkflows })],
  ]);
  const healthWords = new Set(['/health', '/_status', '/_ping', '/healthcheck']);

  return (path) => {
    const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    if (healthWords.has(trimmed)) return { operations: healthOnly, mailbox: undefined, params: [] };
    const page = pages.get(trimmed);
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
    const lookup = lookups.get(word);
    if (lookup !== undefined) {
      const [found, count] = lookup;
      return rest.length <= count ? { operations: found, mailbox: undefined, params: rest } : undefined;
    }
    const mailbox = decodeSegments([word])?.[0];
    const found = mailbox === undefined ? undefined : inMailbox(rest);
    return found === undefined ? undefined : { mailbox, ...found };
  };
}

export function methods(operations: Readonly<Record<string, MachineOperation>>): Methods {
  return new Map(Object.entries(operations));
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
  const top = methods({ GET: operations.handshake, POST: operations.handshake });
  const words = new Map<string, Methods>([
    ['outbox', methods({ POST: operations.sendMessage })],
    ['inbox', methods({ GET: operations.checkInbox })],
    ['count', methods({ GET: operations.countInbox })],
    ['update', methods({ POST: operations.clientUpdate })],
    ['preflight', methods({ POST: operations.preflight })],
  ]);
  const pairs = new Map<string, Methods>([
    ['outbox/tracking', methods({ GET: operations.trackOutbox })],
    ['outbox/rich', methods({ GET: operations.richOutbox })],
    ['inbox/rich', methods({ GET: operations.richInbox })],
  ]);
  const message = methods({ GET: operations.downloadMessage, HEAD: operations.headMessage });
  const chunk = methods({ GET: operations.downloadChunk });
  const later = methods({ POST: operations.sendChunk });
  const acknowledged = methods({ PUT: operations.acknowledge });
  const tracking = methods({ GET: operations.trackOutbox });

  return (rest) => {
    const [box, second, third, fourth] = rest;
    if (box === undefined) return { operations: top, params: [] };
    if (second === undefined) {
      const fixed = words.get(box);
      return fixed === undefined ? undefined : { operations: fixed, params: [] };
    }
    if (third === undefined && fixedSeconds.has(second)) {
      const fixed = pairs.get(`${box}/${second}`);
      if (fixed !== undefined) return { operations: fixed, params: [] };
    }
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
