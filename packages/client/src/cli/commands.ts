import type { Command } from './command.ts';
import { runCommand } from './run.ts';

export const commands: readonly Command[] = [runCommand];
