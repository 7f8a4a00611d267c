import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildConfig, type Environment } from './build-config.ts';
import type { ClientConfig } from './config.ts';
import { ConfigFault, type RawConfig } from './raw-settings.ts';
import { readMeshclientCfg } from './read-meshclient-cfg.ts';
import { readOwnFormat } from './read-own-format.ts';

const fileBytesMax = 1024 * 1024;

/** Reads a configuration file of either format: a file that begins with `<` is a `meshclient.cfg`. Throws a ConfigFault. */
export function readConfigFile(path: string): RawConfig {
  const file = resolve(path);
  return parseConfigFile(file, readBytes(file));
}

/** The same of bytes that are to become this file. */
export function parseConfigFile(file: string, bytes: Buffer): RawConfig {
  const isXml = /^[\s\0]*</.test(
    Buffer.from(bytes.subarray(0, 64))
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf|^\u00ff\u00fe|^\u00fe\u00ff/, ''),
  );
  return isXml ? readMeshclientCfg(file, bytes) : readOwnFormat(file, bytes);
}

export function loadConfig(path: string, env: Environment): ClientConfig {
  return buildConfig(readConfigFile(path), env);
}

function readBytes(file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= fileBytesMax) return bytes;
    throw new ConfigFault([{ file, line: 1, setting: '', problem: `is larger than ${fileBytesMax} bytes` }]);
  } catch (error) {
    if (error instanceof ConfigFault) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigFault([{ file, line: 1, setting: '', problem: `cannot be read (${code})` }]);
  }
}
