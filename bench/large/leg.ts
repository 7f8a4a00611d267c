import { cpuMicros, machineCpuMicros, residentMiB } from '../process-usage.ts';
import { rounded } from '../statistics.ts';

export type Direction = 'upload' | 'download';

/** Figures of one direction against one server. MB is 1,000,000 bytes; CPU is of all threads of the server process. */
export interface LargeLeg {
  readonly target: string;
  readonly direction: Direction;
  readonly seconds: number;
  readonly mbPerSecond: number;
  readonly serverCpuMsPerMb: number;
  readonly serverCoresUsed: number;
  /** The generator used over 90 % of a core and the server did not: the generator set the pace. */
  readonly generatorBound: boolean;
  readonly generatorCoresUsed: number;
  /** Cores that neither the server nor the generator used: flushing by the kernel, and anything that disturbs. */
  readonly otherCoresUsed: number;
  /** The highest resident memory of the server process since it started. */
  readonly serverResidentPeakMiB: number;
}

const busyCores = 0.9;

/** Measures `transfer`, which moves `bytes` in one direction; its rejection is ours. */
export async function measureLeg(
  target: string,
  direction: Direction,
  serverPid: number,
  bytes: number,
  transfer: () => Promise<void>,
): Promise<LargeLeg> {
  const [serverBefore, ownBefore, machineBefore] = [cpuMicros(serverPid), process.cpuUsage(), machineCpuMicros()];
  const startedMs = performance.now();
  await transfer();
  const seconds = (performance.now() - startedMs) / 1000;
  const serverMicros = cpuMicros(serverPid) - serverBefore;
  const own = process.cpuUsage(ownBefore);
  const ownMicros = own.user + own.system;
  const otherMicros = machineCpuMicros() - machineBefore - serverMicros - ownMicros;
  const megabytes = bytes / 1e6;
  const serverCoresUsed = serverMicros / 1e6 / seconds;
  const generatorCoresUsed = ownMicros / 1e6 / seconds;
  const leg = {
    target,
    direction,
    seconds: rounded(seconds) ?? 0,
    mbPerSecond: rounded(megabytes / seconds, 0) ?? 0,
    serverCpuMsPerMb: rounded(serverMicros / 1000 / megabytes) ?? 0,
    serverCoresUsed: rounded(serverCoresUsed) ?? 0,
    generatorBound: serverCoresUsed < busyCores && generatorCoresUsed >= busyCores,
    generatorCoresUsed: rounded(generatorCoresUsed) ?? 0,
    otherCoresUsed: rounded(Math.max(0, otherMicros / 1e6 / seconds)) ?? 0,
    serverResidentPeakMiB: rounded(residentMiB(serverPid).peak, 0) ?? 0,
  };
  console.error(`${target} ${direction}: ${leg.mbPerSecond} MB/s, ${leg.serverCpuMsPerMb} ms of server CPU per MB`);
  return leg;
}
