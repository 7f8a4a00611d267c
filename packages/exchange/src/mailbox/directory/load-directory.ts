import type { DirectoryLedger, OrganisationLink, OrganisationRecord } from '../../store/ledger/directory.ts';
import { type DirectoryItem, readDirectoryObject } from './read-line.ts';
import { splitObjects } from './split-objects.ts';

type Blocks = AsyncIterable<Uint8Array>;

/** An object that cannot be taken; says where it is, and never repeats it. */
export interface DirectoryProblem {
  readonly number: number;
  readonly problem: string;
}

export interface DirectoryCounts {
  readonly organisations: number;
  readonly links: number;
}

const objectBytesMax = 1024 * 1024;
/** Rows of one commit: live traffic on the same ledger waits for no more than these. */
const batchRows = 500;
/** Commits under way while the next rows are read. */
const batchesInFlight = 2;
const problemsMax = 100;
const progressEvery = 50_000;

async function* readItems(blocks: Blocks): AsyncGenerator<DirectoryProblem | (DirectoryItem & { problem: undefined })> {
  for await (const { number, text } of splitObjects(blocks, objectBytesMax)) {
    if (text === undefined) {
      yield { number, problem: `is longer than ${objectBytesMax} bytes` };
      continue;
    }
    const item = readDirectoryObject(parse(text));
    yield item === undefined
      ? { number, problem: 'is no organisation, affiliation or line of ours' }
      : { ...item, problem: undefined };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Reads a whole file and changes nothing: what it holds, or what is wrong with it, up to a hundred problems. */
export async function checkDirectory(
  blocks: Blocks,
): Promise<DirectoryCounts & { readonly problems: readonly DirectoryProblem[] }> {
  const problems: DirectoryProblem[] = [];
  let organisations = 0;
  let links = 0;
  for await (const item of readItems(blocks)) {
    if (item.problem !== undefined) {
      problems.push({ number: item.number, problem: item.problem });
      if (problems.length === problemsMax) break;
      continue;
    }
    organisations += item.organisation === undefined ? 0 : 1;
    links += item.links.length;
  }
  return { organisations, links, problems };
}

/**
 * Puts a file that was found good into the directory, in batches and with flat memory. Harmless when repeated, so that a
 * load that was broken off is simply done again.
 */
export async function loadDirectory(
  blocks: Blocks,
  parts: {
    readonly ledger: Pick<DirectoryLedger, 'put'>;
    readonly nowMs: () => number;
    readonly onProgress?: (organisations: number) => void;
  },
): Promise<DirectoryCounts & { readonly rowsChanged: number; readonly alerts: number }> {
  const writer = createDirectoryWriter(parts.ledger, parts.nowMs);
  let organisations = 0;
  let links = 0;
  for await (const item of readItems(blocks)) {
    if (item.problem !== undefined)
      throw new Error(`object ${item.number} ${item.problem}: the file was changed while it was read`);
    await writer.add(item);
    organisations += item.organisation === undefined ? 0 : 1;
    links += item.links.length;
    if (item.organisation !== undefined && organisations % progressEvery === 0) parts.onProgress?.(organisations);
  }
  return { organisations, links, ...(await writer.end()) };
}

/** Gathers rows into batches and writes them, no more than a few at a time. */
export function createDirectoryWriter(
  ledger: Pick<DirectoryLedger, 'put'>,
  nowMs: () => number,
): {
  add(item: DirectoryItem): Promise<void>;
  end(): Promise<{ readonly rowsChanged: number; readonly alerts: number }>;
} {
  let organisations: OrganisationRecord[] = [];
  let links: OrganisationLink[] = [];
  let rowsChanged = 0;
  let alerts = 0;
  const inFlight: Promise<void>[] = [];

  const write = async (): Promise<void> => {
    const batch = { atMs: nowMs(), organisations, links };
    organisations = [];
    links = [];
    const done = await ledger.put(batch);
    rowsChanged += done.rowsChanged;
    alerts += done.alerts;
  };

  return {
    async add(item) {
      if (item.organisation !== undefined) organisations.push(item.organisation);
      links.push(...item.links);
      if (organisations.length + links.length < batchRows) return;
      if (inFlight.length >= batchesInFlight) await inFlight.shift();
      inFlight.push(write());
    },
    async end() {
      await Promise.all(inFlight);
      await write();
      return { rowsChanged, alerts };
    },
  };
}
