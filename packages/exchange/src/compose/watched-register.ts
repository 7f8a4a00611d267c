import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Demographics, loadLocalRegister, RegisterFault, type SurnameMatch } from '@openmesh/demographics';
import { stampFiles } from '../http/tls/file-stamp.ts';
import type { MachineClock } from './clocks.ts';

const registerBytesMax = 256 * 1024 * 1024;
const lookEveryMs = 5000;

export interface WatchedRegisterOptions {
  readonly path: string;
  readonly surnameMatch: SurnameMatch;
  readonly clock: MachineClock;
  /** The file was taken over, or cannot be and what was read before goes on; said once for each state of the file. */
  readonly told: (outcome: 'register-loaded' | 'register-unreadable') => void;
}

/**
 * A register in a file, read again when the file was replaced or written: looked at by a question, at most every five
 * seconds. Rejects with `RegisterFault` when it cannot be read at first; later what cannot be read changes nothing.
 */
export async function openWatchedRegister(options: WatchedRegisterOptions): Promise<Demographics> {
  const { path, surnameMatch, clock, told } = options;

  const read = async (): Promise<Demographics> => {
    if ((await stat(path)).size > registerBytesMax) {
      throw new RegisterFault(`the register is a file of over ${registerBytesMax} bytes`);
    }
    const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
    return loadLocalRegister({ lines, surnameMatch, clock });
  };

  // Stamped before reading: what is written meanwhile shows as a change next time.
  let stamp = await stampFiles([path]);
  let register = await read();
  let lookedAtMs = clock.nowMs();
  let looking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    lookedAtMs = clock.nowMs();
    const now = await stampFiles([path]);
    if (now === stamp) return;
    stamp = now;
    try {
      register = await read();
      told('register-loaded');
    } catch {
      told('register-unreadable');
    }
  };

  return {
    async trace(question, context) {
      if (Math.abs(clock.nowMs() - lookedAtMs) >= lookEveryMs || looking !== undefined) {
        looking ??= look().finally(() => {
          looking = undefined;
        });
        await looking;
      }
      return register.trace(question, context);
    },
    close: () => register.close(),
  };
}
