import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { rounded } from './statistics.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number | null;
  readonly system: string;
  readonly node: string;
}

/** What the figures were measured on; a figure without it means nothing. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: rounded(totalmem() / 2 ** 30, 1),
    system: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
  };
}
