import { BodyFault } from '../bodies.ts';
import { ArrivingBlock, arrivalPartBytes, type BlockOpening } from '../transfer/arriving-block.ts';
import type { BlockOrigin } from '../transfer/block-reader.ts';
import type { HashCrew } from '../transfer/hash-crew.ts';
import { diskFault } from './disk-fault.ts';
import { errorCode, type FileSystem, type OpenFile } from './file-system.ts';

/** Opens the file at `path`, undefined for a name the store never gave. Rejects with `BodyFault`. */
export async function openBlocks(
  room: { readonly fileSystem: FileSystem; readonly crew: HashCrew },
  path: string | undefined,
): Promise<BlockOrigin> {
  if (path === undefined) throw new BodyFault('missing', 'no body of this name');
  const file = await room.fileSystem.open(path).catch((error) => {
    if (errorCode(error) === 'ENOENT') throw new BodyFault('missing', 'no body of this name', { cause: error });
    throw diskFault('opening a body', error);
  });
  return new FileBlocks(file, room.crew);
}

/** The blocks of one file. */
class FileBlocks implements BlockOrigin {
  readonly #file: OpenFile;
  readonly #crew: HashCrew;

  constructor(file: OpenFile, crew: HashCrew) {
    this.#file = file;
    this.#crew = crew;
  }

  /** Each part is hashed while the next is read. */
  async fetch(bytes: Buffer, start: number, block: number, opening?: BlockOpening): Promise<string> {
    const arriving = new ArrivingBlock(this.#crew, bytes, opening);
    try {
      for (let at = 0; at < bytes.length; at += arrivalPartBytes) {
        const part = bytes.subarray(at, at + arrivalPartBytes);
        await this.#readFully(part, start + at, block);
        arriving.arrived(at + part.length);
      }
      return await arriving.digest();
    } catch (error) {
      await arriving.giveUp();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #readFully(bytes: Buffer, start: number, block: number): Promise<void> {
    let got = 0;
    while (got < bytes.length) {
      const count = await this.#file.read(bytes.subarray(got), start + got);
      if (count <= 0) throw new BodyFault('corrupt', `the file ends within block ${block}`, { block });
      got += count;
    }
  }
}
