import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  credentialIds,
  type Entry,
  FixtureFault,
  knownWorkflows,
  parseSandboxMailboxes,
  parseSandboxWorkflows,
  planEntries,
  type RegistryRecords,
  type Rooms,
  registrationKey,
} from '@openmesh/exchange';
import { parseMailboxId } from '@openmesh/protocol';
import { CannotStart } from './prepare-folders.ts';

const shippedFolder = fileURLToPath(new URL('../fixtures', import.meta.url));

/** Where the lists are looked for. */
export interface RegistryFolders {
  readonly dataFolder: string;
  /** Where the data folder has none. */
  readonly fixturesFolder: string | undefined;
}

/**
 * Makes the registry say what the fixtures say: `mailboxes.jsonl` and `workflows.jsonl` of the data folder or of the
 * fixtures', or those of the official sandbox where neither has them; and a mailbox for each folder of an unlisted one.
 * Passwords that a listed mailbox no longer has end now. Mailboxes that are listed no longer stay.
 */
export async function loadRegistry(
  { ledger, sealer, registry }: Pick<Rooms, 'ledger' | 'sealer' | 'registry'>,
  folders: RegistryFolders,
): Promise<void> {
  const { dataFolder } = folders;
  const records = await ledger.registry.load();
  const entries = await readEntries(folders, records);
  const plan = planEntries([...entries, ...endedPasswords(entries, records, sealer)], records, sealer);
  const [problem] = plan.problems;
  if (problem !== undefined) throw new CannotStart(`the fixtures of ${dataFolder}: ${problem.problem}`);
  const dropRegistrations = droppedRegistrations(entries, records);
  const changes = Object.values(plan.change).reduce((sum, rows) => sum + rows.length, dropRegistrations.length);
  if (changes > 0) {
    const detail = JSON.stringify({ ...plan.counts, registrationsDropped: dropRegistrations.length });
    const audit = { atMs: Date.now(), actor: 'sandbox', action: 'registry.import', subject: 'fixtures', detail };
    await ledger.registry.change({ ...plan.change, dropRegistrations, audit });
  }
  await registry.reload();
}

async function readEntries(folders: RegistryFolders, records: RegistryRecords): Promise<readonly Entry[]> {
  const { dataFolder } = folders;
  const lists = await readLists(folders);
  const mailboxes = parseSandboxMailboxes(lists.mailboxes);
  const known = new Set<string>([
    ...records.mailboxes.map((row) => row.mailboxId),
    ...mailboxes.flatMap((entry) => (entry.kind === 'mailbox' ? [entry.mailboxId] : [])),
  ]);
  const found = await mailboxFolders(dataFolder);
  const unlisted = found.filter((name) => !known.has(name));
  const lines = unlisted.map((mailbox_id) => JSON.stringify({ mailbox_id })).join('\n');
  const all = new Set([...known, ...unlisted]);
  // The official sandbox passes over mailboxes it does not know there.
  const workflows = parseSandboxWorkflows(lists.workflows)
    .filter((entry) => entry.kind !== 'registration' || all.has(entry.mailboxId))
    .map(asIsKnown);
  return [...mailboxes, ...parseSandboxMailboxes(lines), ...workflows].map(validAgain);
}

/** The official sandbox's own workflows name its own mailboxes: they are for those who list none of theirs. */
async function readLists({ dataFolder, fixturesFolder }: RegistryFolders) {
  const folders = [dataFolder, ...(fixturesFolder === undefined ? [] : [await existing(fixturesFolder)])];
  const listed = await readFirst('mailboxes.jsonl', folders);
  const mailboxes = listed ?? (await readFile(join(shippedFolder, 'mailboxes.jsonl'), 'utf8'));
  const workflows = await readFirst('workflows.jsonl', listed === undefined ? [...folders, shippedFolder] : folders);
  return { mailboxes, workflows: workflows ?? '' };
}

async function existing(fixturesFolder: string): Promise<string> {
  const isFolder = await stat(fixturesFolder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new FixtureFault('OPENMESH_SANDBOX_FIXTURES', undefined, `${fixturesFolder} is no folder`);
  return fixturesFolder;
}

const sentToPractices = new Set(
  knownWorkflows().flatMap((entry) =>
    entry.kind === 'workflow' && entry.given.gpRouting === true ? [entry.workflowId] : [],
  ),
);

/** The fixtures have no word for what may be sent to the practice of a patient: it is as it is known to be. */
function asIsKnown(entry: Entry): Entry {
  if (entry.kind !== 'workflow' || !sentToPractices.has(entry.workflowId)) return entry;
  return { ...entry, given: { ...entry.given, gpRouting: true } };
}

/** A password that was replaced once and is listed again opens the mailbox again. */
function validAgain(entry: Entry): Entry {
  return entry.kind === 'credential' ? { ...entry, given: { validToMs: null } } : entry;
}

/** Names of the folders that are mailboxes: upper case, as the official sandbox demands; dot folders never are. */
export async function mailboxFolders(dataFolder: string) {
  const entries = await readdirIfThere(dataFolder);
  return entries.flatMap((entry) => {
    const mailbox = entry.isDirectory() ? parseMailboxId(entry.name) : undefined;
    return mailbox === undefined || mailbox !== entry.name ? [] : [mailbox];
  });
}

/** A password that was replaced in the file must not go on opening the mailbox. */
function* endedPasswords(
  entries: readonly Entry[],
  records: RegistryRecords,
  sealer: Rooms['sealer'],
): Generator<Entry> {
  const kept = new Map<string, ReadonlySet<string>>();
  for (const entry of entries) {
    if (entry.kind !== 'credential' || !('password' in entry.source)) continue;
    kept.set(entry.mailboxId, new Set(credentialIds(sealer, entry.mailboxId, entry.source.password)));
  }
  const now = Date.now();
  for (const { credentialId, mailboxId, sealed, validToMs } of records.credentials) {
    const valid = kept.get(mailboxId);
    if (valid === undefined || valid.has(credentialId) || validToMs !== null) continue;
    const source = { credentialId, sealed };
    yield { kind: 'credential', line: 0, mailboxId, source, given: { validToMs: now } };
  }
}

/** Of the workflows that the file names, the registrations it no longer does. */
function droppedRegistrations(entries: readonly Entry[], records: RegistryRecords) {
  const workflows = new Set(entries.flatMap((entry) => (entry.kind === 'workflow' ? [entry.workflowId] : [])));
  const kept = new Set(entries.flatMap((entry) => (entry.kind === 'registration' ? [registrationKey(entry)] : [])));
  return records.registrations.filter((row) => workflows.has(row.workflowId) && !kept.has(registrationKey(row)));
}

async function readFirst(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const text = await readIfThere(join(folder, name));
    if (text !== undefined) return text;
  }
  return undefined;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readdirIfThere(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return [];
    throw error;
  }
}
