/** Every setting's name begins with this; of other variables the exchange reads the service manager's alone. */
export const settingPrefix = 'OPENMESH_';

/**
 * A copy of this process's settings: the only place of the exchange that reads the environment, so that everything
 * else can be given one.
 */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith(settingPrefix)));
}

/** Where systemd listens for what a service says of itself; undefined where it is not the one who started us. */
export function readNotifySocket(): string | undefined {
  return process.env.NOTIFY_SOCKET;
}

/** What a program that is started for us inherits: where programs lie, and the variables of its own. */
export function environmentOfChildren(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith(settingPrefix)));
}
