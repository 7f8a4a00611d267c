import { readdir, readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { addCounter, addGauge, addLabelledGauge } from './metric-kinds.ts';

const samplingMs = 10;
const nanosecondsPerSecond = 1e9;

/**
 * What the process uses, under the names every Prometheus client uses, and how late its event loop is. Read when
 * somebody asks; only the delay is sampled in between.
 * @returns what ends the sampling
 */
export function addProcessMetrics(registry: Registry): () => void {
  const startedAtSeconds = Date.now() / 1000 - process.uptime();
  addGauge(
    registry,
    'process_start_time_seconds',
    'When the process started, in seconds since 1970.',
    () => startedAtSeconds,
  );
  addGauge(registry, 'process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss());
  addCounter(registry, 'process_cpu_seconds_total', 'Processor time used, all threads, user and system.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  addGauge(registry, 'process_open_fds', 'Open file descriptors, sockets included; on Linux only.', countDescriptors);
  const help = 'The most descriptors the process may open; each connection takes one. On Linux only.';
  addGauge(registry, 'process_max_fds', help, readDescriptorLimit);
  return addEventLoopDelay(registry);
}

async function countDescriptors(): Promise<number | undefined> {
  return process.platform === 'linux' ? (await readdir('/proc/self/fd')).length : undefined;
}

async function readDescriptorLimit(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const limit = /^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? undefined : Number(limit);
}

function addEventLoopDelay(registry: Registry): () => void {
  const delay = monitorEventLoopDelay({ resolution: samplingMs });
  delay.enable();
  const help = 'How late the event loop was since the last reading: median, 99th percentile and worst.';
  addLabelledGauge(registry, 'openmesh_event_loop_delay_seconds', help, ['quantile'], () => {
    // The sampler counts its own interval as delay, and has seen nothing when it is asked twice at once.
    const seconds = (nanoseconds: number): number =>
      delay.count === 0 ? 0 : Math.max(0, nanoseconds / nanosecondsPerSecond - samplingMs / 1000);
    const rows = [
      { labels: { quantile: '0.5' }, value: seconds(delay.percentile(50)) },
      { labels: { quantile: '0.99' }, value: seconds(delay.percentile(99)) },
      { labels: { quantile: '1' }, value: seconds(delay.max) },
    ];
    delay.reset();
    return rows;
  });
  return () => {
    delay.disable();
  };
}
