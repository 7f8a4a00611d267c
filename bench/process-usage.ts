import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports process times in ticks of 1/100 s to every program (USER_HZ), whatever the kernel's own rate. */
const tickMicros = 10_000;

/** CPU microseconds of all threads of a process since it started, user and system, in steps of 10 ms; throws if it is gone. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the name in parentheses and may hold spaces, so fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMicros;
}

/** Resident memory of a process now and at its highest, in MiB. */
export function residentMiB(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return { now: statusMiB(status, 'VmRSS'), peak: statusMiB(status, 'VmHWM') };
}

function statusMiB(status: string, field: string): number {
  const match = new RegExp(String.raw`^${field}:\s+(\d+) kB`, 'm').exec(status);
  if (match === null) throw new Error(`/proc/PID/status has no ${field}`);
  return Number(match[1]) / 1024;
}

/** The process ids of a process's children, for servers that work in a forked worker. */
export function childPids(pid: number): number[] {
  const pids = new Set<number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1');
    for (const child of children.split(' ').filter((text) => text !== '')) pids.add(Number(child));
  }
  return [...pids];
}
