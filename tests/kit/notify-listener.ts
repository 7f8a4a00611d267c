import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const source = fileURLToPath(new URL('../rings/programs/notify-listener.c', import.meta.url));

/** Stands in for a service manager: what a service says of itself. Needs gcc. */
export class NotifyListener {
  readonly socket: string;
  readonly #child: ChildProcess;
  #heard = '';

  private constructor(socket: string, child: ChildProcess) {
    this.socket = socket;
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
      this.#heard += piece;
    });
  }

  static async start(folder: string): Promise<NotifyListener> {
    const program = join(folder, 'notify-listener');
    execFileSync('gcc', ['-Wall', '-Wextra', '-o', program, source]);
    const socket = join(folder, 'notify');
    const listener = new NotifyListener(socket, spawn(program, [socket], { stdio: ['ignore', 'pipe', 'inherit'] }));
    await listener.until('listening');
    return listener;
  }

  async until(word: string): Promise<void> {
    await expect.poll(() => this.#heard, { timeout: 60_000 }).toContain(word);
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}
