import { checkCommand } from './check.ts';
import type { Command } from './command.ts';
import { convertCommand } from './convert.ts';
import { importKeystoreCommand } from './import-keystore.ts';
import { initCommand } from './init.ts';
import { leaveCommand } from './leave.ts';
import { mailboxCommand } from './mailbox.ts';
import { onceCommand } from './once.ts';
import { protectCommand } from './protect.ts';
import { retryCommand } from './retry.ts';
import { runCommand } from './run.ts';
import { serviceCommand } from './service.ts';
import { settingsCommand } from './settings.ts';
import { statusCommand } from './status.ts';
import { stopCommand } from './stop.ts';
import { validateCommand } from './validate.ts';

export const commands: readonly Command[] = [
  runCommand,
  onceCommand,
  statusCommand,
  checkCommand,
  convertCommand,
  retryCommand,
  stopCommand,
  leaveCommand,
  initCommand,
  mailboxCommand,
  validateCommand,
  importKeystoreCommand,
  protectCommand,
  serviceCommand,
  settingsCommand,
];
