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

/** The same of a process with all that it started: those that run, and those that ended and were waited for. */
export function familyCpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ended = (Number(fields[13]) + Number(fields[14])) * tickMicros;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + childMicros(Number(child)), cpuMicros(pid) + ended);
}

export interface ThreadClock {
  readonly thread: number;
  readonly name: string;
  /** CPU since it started, in microseconds. */
  readonly micros: number;
}

/** The threads of a process, or of this one, that run. */
export function threadClocks(pid: number | 'self'): readonly ThreadClock[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).flatMap((thread) => threadClock(tasks, thread) ?? []);
}

/** The first field is the time on a processor in nanoseconds. Undefined: the thread ended meanwhile. */
function threadClock(tasks: string, thread: string): ThreadClock | undefined {
  try {
    const name = readFileSync(`${tasks}/${thread}/comm`, 'utf8').trim();
    const [nanos] = readFileSync(`${tasks}/${thread}/schedstat`, 'latin1').split(' ');
    return { thread: Number(thread), name, micros: Number(nanos) / 1000 };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) return undefined;
    throw error;
  }
}

/** 0 when it ended meanwhile. */
function childMicros(pid: number): number {
  try {
    return cpuMicros(pid);
  } catch {
    return 0;
  }
}

/**
 * CPU microseconds the whole machine has spent on anything since it started, interrupts and time stolen by the host
 * included: what a server and a generator did not use, something else did.
 */
export function machineCpuMicros(): number {
  const total = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1];
  if (total === undefined) throw new Error('/proc/stat has no cpu line');
  const [user, nice, system, _idle, _waiting, irq, softirq, steal] = total.split(' ').map(Number);
  return [user, nice, system, irq, softirq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) * tickMicros;
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
