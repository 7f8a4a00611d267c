import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { BlockPair, type Payload, type PayloadSource } from '@openmesh/sdk';
import { codeOf } from '../folders/durable.ts';
import { seenOf } from '../folders/file-print.ts';

/** The data is not the file that was looked at: it changed, went away, or something else holds it. */
export class DataChanged extends Error {
  override readonly name = 'DataChanged';
  /** The system's code where the data could not be opened; undefined where it was, and is not what it was. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }

  /** Nobody may read it, or the disk does not give it: it stays so until somebody is told. */
  get isUnreadable(): boolean {
    return this.code !== undefined && unreadableCodes.has(this.code);
  }
}

const unreadableCodes: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EIO']);

/** Large enough for the disk; larger ones only wait longer to be collected. */
const blockBytes = 256 * 1024;
/** A link in OUT could point at any file of this machine: it is not followed. Windows has no such flag. */
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/** The data of a pair, as long as it is the file with this print. Throws DataChanged when opened or read otherwise. */
export function dataSource(path: string, print: string): PayloadSource {
  return {
    async open(): Promise<Payload> {
      const handle = await open(path, readFlags).catch((error: unknown) => {
        const code = codeOf(error);
        throw new DataChanged(`cannot be opened (${code})`, code);
      });
      try {
        const seen = seenOf(await handle.stat({ bigint: true }));
        if (seen?.print !== print) throw new DataChanged('changed');
        return {
          sizeBytes: seen.sizeBytes,
          modifiedMs: seen.modifiedMs,
          close: () => handle.close(),
          async *read({ start, end }) {
            const blocks = new BlockPair(Math.min(blockBytes, end - start));
            for (let position = start; position < end; ) {
              const block = blocks.next();
              const { bytesRead } = await handle.read(block, 0, Math.min(block.length, end - position), position);
              if (bytesRead === 0) throw new DataChanged('shorter');
              position += bytesRead;
              yield block.subarray(0, bytesRead);
            }
            // Nothing that changed under way is worth more than what was there before: the last chunk fails, and with it all.
            if (end === seen.sizeBytes && seenOf(await handle.stat({ bigint: true }))?.print !== print) {
              throw new DataChanged('changed');
            }
          },
        };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
  };
}
