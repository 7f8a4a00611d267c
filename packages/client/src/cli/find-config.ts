import { existsSync } from 'node:fs';
import type { ClientConfig } from '../config/config.ts';
import { loadConfig } from '../config/load-config.ts';
import { type CommandIo, CommandRefusal, exitCodes } from './command.ts';

const usual = ['meshclient.cfg', 'openmesh-client.yaml'];

/** The configuration file an argument names, or one of the usual names in this folder. */
export function findConfigFile(argument: string | undefined): string {
  const file = argument ?? usual.find((name) => existsSync(name));
  if (file !== undefined) return file;
  throw new CommandRefusal(
    exitCodes.configuration,
    `there is no ${usual.join(' or ')} here: name the configuration file`,
  );
}

export function readConfig(argument: string | undefined, io: CommandIo): ClientConfig {
  return loadConfig(findConfigFile(argument), io.env);
}
