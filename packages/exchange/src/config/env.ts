/** Every setting's name begins with this; the exchange reads no other variable. */
export const settingPrefix = 'OPENMESH_';

/**
 * A copy of this process's settings: the only place of the exchange that reads the environment, so that everything
 * else can be given one.
 */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith(settingPrefix)));
}

/** What a program that is started for us inherits: where programs lie, and the variables of its own. */
export function environmentOfChildren(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith(settingPrefix)));
}
