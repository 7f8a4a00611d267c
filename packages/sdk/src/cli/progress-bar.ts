import type { OnProgress, Progress } from '../progress.ts';
import type { CommandIo } from './command.ts';

const barWidthMax = 40;
const textWidth = 50;

/** Draws over one line of the terminal; undefined where stderr is no terminal. */
export function progressBar(io: CommandIo): OnProgress | undefined {
  const { columns } = io;
  if (columns === undefined) return undefined;
  return (progress) => {
    const line = progressLine(progress, Math.max(0, Math.min(barWidthMax, columns - textWidth)));
    io.stderr(`\r${line.slice(0, Math.max(0, columns - 1))}\u001b[K`);
    if (progress.chunksDone === progress.chunksTotal) io.stderr('\r\u001b[K');
  };
}

/** Bar, bytes, rate and time left, as far as they are known. */
export function progressLine(progress: Progress, barWidth: number): string {
  const { bytesDone, bytesTotal, chunksDone, chunksTotal, bytesPerSecond, secondsLeft } = progress;
  const share = bytesTotal === undefined ? chunksDone / Math.max(1, chunksTotal) : bytesDone / Math.max(1, bytesTotal);
  const filled = Math.round(Math.min(1, share) * barWidth);
  const bar = barWidth === 0 ? '' : `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] `;
  const size = bytesTotal === undefined ? bytesText(bytesDone) : `${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`;
  const left = secondsLeft === undefined ? '' : `, ${spanText(secondsLeft)} left`;
  return `${bar}${Math.floor(Math.min(1, share) * 100)} % ${size}, ${bytesText(bytesPerSecond)}/s${left}`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytesText(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function spanText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
