import { readFileSync } from 'node:fs';
import { threadClocks } from '../process-usage.ts';

/** CPU microseconds of each thread of this process since it started, by thread id. */
export function threadMicros(): ReadonlyMap<number, number> {
  return new Map(threadClocks('self').map(({ thread, micros }) => [thread, micros]));
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
