import { readdirSync, readFileSync } from 'node:fs';

/** CPU microseconds of each thread of this process since it started, by thread id. */
export function threadMicros(): ReadonlyMap<number, number> {
  const tasks = '/proc/self/task';
  return new Map(readdirSync(tasks).map((thread) => [Number(thread), micros(`${tasks}/${thread}/schedstat`)]));
}

/** The first field is the time on a processor in nanoseconds; a thread that has just ended used none. */
function micros(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ')[0]) / 1000;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) return 0;
    throw error;
  }
}

/** The ids of the threads that `work` started and that still run. */
export async function threadsStartedBy<R>(work: () => Promise<R>): Promise<readonly [R, readonly number[]]> {
  const before = threadMicros();
  const result = await work();
  return [result, [...threadMicros().keys()].filter((thread) => !before.has(thread))];
}

/** What this process has handed to the system so far: bytes, and the calls that did it. */
export function written(): { readonly bytes: number; readonly writes: number } {
  const io = readFileSync('/proc/self/io', 'latin1');
  const figure = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1]);
  return { bytes: figure('wchar'), writes: figure('syscw') };
}
