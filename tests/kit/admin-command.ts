import { join } from 'node:path';
import type { AdminSession, OpenForAdmin, Surroundings } from '@openmesh/exchange/cli/admin-session.ts';
import { createAuditCommand } from '@openmesh/exchange/cli/audit.ts';
import type { Command } from '@openmesh/exchange/cli/command.ts';
import { createDirectoryCommand } from '@openmesh/exchange/cli/directory.ts';
import { createExportCommand } from '@openmesh/exchange/cli/export.ts';
import { createImportCommand } from '@openmesh/exchange/cli/import.ts';
import { createKeysCommand } from '@openmesh/exchange/cli/keys.ts';
import { createMailboxCommand } from '@openmesh/exchange/cli/mailbox.ts';
import { createMessageCommand } from '@openmesh/exchange/cli/message.ts';
import { createPreflightCommand } from '@openmesh/exchange/cli/preflight.ts';
import { createRefusalsCommand } from '@openmesh/exchange/cli/refusals.ts';
import { createRuleCommand } from '@openmesh/exchange/cli/rule.ts';
import { createSharedKeyCommand } from '@openmesh/exchange/cli/token-key.ts';
import { createWorkflowCommand } from '@openmesh/exchange/cli/workflow.ts';
import { openForAdmin } from '@openmesh/exchange/compose/open-for-admin.ts';
import { loadConfig } from '@openmesh/exchange/config/config.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface AdminBench extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  /** Machine clock of the commands, to be moved by the test. */
  nowMs: number;
  /** Who is at the command line. */
  actor: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What somebody else does, once, between a command's look at the registry and its change of it. */
  meanwhile: (() => Promise<unknown>) | undefined;
  /** Runs `import - --json` and the like; `input` is standard input. */
  run(line: readonly string[], input?: string): Promise<Ran>;
  /** The session that the commands share; starting threads for each command would be most of a test's time. */
  session(): Promise<AdminSession>;
  /** A session of its own on the same ledger, as another process has it. Closed by the caller. */
  openBeside(): Promise<AdminSession>;
}

async function loadWith(bench: AdminBench, registry: AdminSession['ledger']['registry']) {
  const records = await registry.load();
  const { meanwhile } = bench;
  bench.meanwhile = undefined;
  await meanwhile?.();
  return records;
}

function commandsOver(open: OpenForAdmin, world: Surroundings): readonly Command[] {
  return [
    createImportCommand(open, world),
    createExportCommand(open),
    createMailboxCommand(open, world),
    createWorkflowCommand(open, world),
    createRuleCommand(open, world),
    createPreflightCommand(open, world),
    createDirectoryCommand(open, world),
    createMessageCommand(open, world),
    createRefusalsCommand(open, world),
    createAuditCommand(open),
    createKeysCommand(open, world),
    createSharedKeyCommand(open, world),
  ];
}

/** The admin commands over a throw-away ledger on the real disk. */
export async function createAdminBench(): Promise<AdminBench> {
  const folder = await temporaryFolder('admin');
  const env = {
    OPENMESH_PROFILE: 'sandbox',
    OPENMESH_TLS: 'off',
    OPENMESH_SHARED_KEY: 'TestKey',
    OPENMESH_LEDGER: `sqlite:${join(folder.path, 'ledger.sqlite')}`,
    OPENMESH_BODIES: `file:${join(folder.path, 'bodies')}`,
  };
  const loaded = loadConfig(env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  let opened: Promise<AdminSession> | undefined;
  const session = (): Promise<AdminSession> => {
    opened ??= openForAdmin(loaded.config);
    return opened;
  };
  const open = async (): Promise<AdminSession> => {
    const { ledger, ...shared } = await session();
    const registry = { ...ledger.registry, load: () => loadWith(bench, ledger.registry) };
    return { ...shared, ledger: { ...ledger, registry }, close: () => Promise.resolve() };
  };
  let input = '';
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(input);
  }
  const bench: AdminBench = {
    folder,
    meanwhile: undefined,
    env,
    nowMs: Date.UTC(2026, 10, 21, 12),
    actor: 'command-line:tester',
    async run(line: readonly string[], given = ''): Promise<Ran> {
      const around = input;
      input = given;
      const [word, ...args] = line;
      const out: string[] = [];
      const err: string[] = [];
      const command = commands.find(({ name }) => name === word);
      if (command === undefined) throw new Error(`no command ${word}`);
      const io = { stdout: (text: string) => void out.push(text), stderr: (text: string) => void err.push(text), env };
      const status = await command.run(args, io);
      input = around;
      return { status, out: out.join(''), err: err.join('') };
    },
    session,
    openBeside: () => openForAdmin(loaded.config),
    async [Symbol.asyncDispose]() {
      await (await opened)?.close();
      await folder.remove();
    },
  };
  const world: Surroundings = {
    now: () => bench.nowMs,
    actor: () => bench.actor,
    get stdin() {
      return stdin();
    },
  };
  const commands = commandsOver(open, world);
  return bench;
}
