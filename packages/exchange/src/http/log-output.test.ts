import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogOutput } from './log-output.ts';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** A disk that answers each write when it is told to. */
class Disk {
  text = '';
  #asked: { bytes: Buffer; done: Done } | undefined;

  readonly write = (_descriptor: number, bytes: Buffer, done: Done): void => {
    if (this.#asked !== undefined) throw new Error('two writes at a time would mix the lines');
    this.#asked = { bytes: Buffer.from(bytes), done };
  };

  get isAsked(): boolean {
    return this.#asked !== undefined;
  }

  take(bytesMax = Number.POSITIVE_INFINITY): void {
    const { bytes, done } = this.#answer();
    const taken = bytes.subarray(0, bytesMax);
    this.text += taken.toString('utf8');
    done(null, taken.length);
  }

  refuse(code: string): void {
    this.#answer().done(Object.assign(new Error(code), { code }), 0);
  }

  #answer(): { bytes: Buffer; done: Done } {
    const asked = this.#asked;
    if (asked === undefined) throw new Error('nothing is being written');
    this.#asked = undefined;
    return asked;
  }
}

let disk: Disk;
let output: LogOutput;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  disk = new Disk();
  output = new LogOutput(-1, disk.write);
});
afterEach(() => vi.useRealTimers());

/** Whether what was asked of the log has come to an end, when everything that can happen at once has. */
async function isOver(flushing: Promise<void>): Promise<boolean> {
  let over = false;
  const wait = async (): Promise<void> => {
    await flushing;
    over = true;
  };
  void wait();
  await turn();
  return over;
}

describe('the output of the log', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EIO', 'EAGAIN'])(
    'keeps what met %s, and writes it whole and in order when the disk takes it',
    (code) => {
      output.write('first\n');
      disk.take(2);
      disk.refuse(code);
      output.write('second\n');
      vi.advanceTimersByTime(100);
      disk.refuse(code);
      output.write('third\n');
      vi.advanceTimersByTime(100);
      disk.take();
      disk.take();
      expect(disk.text).toBe('first\nsecond\nthird\n');
      expect(disk.isAsked).toBe(false);
      expect(output.linesDropped).toBe(0);
    },
  );

  it('drops and counts lines beyond 8 MiB, and takes lines again when there is room', () => {
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    for (let n = 0; n < 10; n += 1) output.write(line);
    expect(output.linesDropped).toBe(2);
    disk.take();
    output.write('again\n');
    expect(output.linesDropped).toBe(2);
    while (disk.isAsked) disk.take();
    expect(disk.text).toBe(`${line.repeat(8)}again\n`);
  });

  it('gives up when nobody reads any more', () => {
    output.write('first\n');
    output.write('second\n');
    disk.refuse('EPIPE');
    output.write('third\n');
    expect(disk.isAsked).toBe(false);
    expect(output.linesDropped).toBe(2);
  });

  it('is flushed when all is written', async () => {
    expect(await isOver(output.flush())).toBe(true);
    output.write('first\n');
    output.write('second\n');
    const flushing = output.flush();
    disk.take();
    expect(await isOver(flushing)).toBe(false);
    disk.take();
    expect(await isOver(flushing)).toBe(true);
  });

  it('is flushed when a reader that is behind has caught up', async () => {
    output.write('first\n');
    const flushing = output.flush();
    disk.refuse('EAGAIN');
    output.write('ended\n');
    expect(await isOver(flushing)).toBe(false);
    vi.advanceTimersByTime(100);
    disk.take();
    expect(await isOver(flushing)).toBe(false);
    disk.take();
    expect(await isOver(flushing)).toBe(true);
    expect(disk.text).toBe('first\nended\n');
  });

  it('holds up no end: a flush waits for no disk that is full, and 2 s for a reader that has stopped', async () => {
    output.write('first\n');
    const full = output.flush();
    disk.refuse('ENOSPC');
    expect(await isOver(full)).toBe(true);
    vi.advanceTimersByTime(100);
    const stopped = output.flush();
    vi.advanceTimersByTime(1999);
    expect(await isOver(stopped)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await isOver(stopped)).toBe(true);
  });
});
