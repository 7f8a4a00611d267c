import type { OpenForAdmin } from './admin-session.ts';
import { createAuditCommand } from './audit.ts';
import type { Command } from './command.ts';
import { createBackupCommand } from './copies/backup.ts';
import { migrateStoreCommand } from './copies/migrate-store.ts';
import { restoreCommand } from './copies/restore.ts';
import { verifyCommand } from './copies/verify.ts';
import { createDirectoryCommand } from './directory.ts';
import { createExportCommand } from './export.ts';
import { createImportCommand } from './import.ts';
import { createKeysCommand } from './keys.ts';
import { createMailboxCommand } from './mailbox.ts';
import { createMessageCommand } from './message.ts';
import { createPreflightCommand } from './preflight.ts';
import { createRefusalsCommand } from './refusals.ts';
import { createRuleCommand } from './rule.ts';
import { createSharedKeyCommand } from './token-key.ts';
import { createWorkflowCommand } from './workflow.ts';

/** The commands that work on a ledger, whether or not a server runs on it. */
export function createAdminCommands(open: OpenForAdmin): readonly Command[] {
  return [
    createImportCommand(open),
    createExportCommand(open),
    createMailboxCommand(open),
    createWorkflowCommand(open),
    createRuleCommand(open),
    createPreflightCommand(open),
    createDirectoryCommand(open),
    createMessageCommand(open),
    createRefusalsCommand(open),
    createAuditCommand(open),
    createKeysCommand(open),
    createSharedKeyCommand(open),
    createBackupCommand(),
    verifyCommand,
    restoreCommand,
    migrateStoreCommand,
  ];
}
