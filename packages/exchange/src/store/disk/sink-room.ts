import type { BodyFault, BodyKey, BodyRef, BodySink } from '../bodies.ts';
import type { BufferPool } from '../transfer/buffer-pool.ts';
import type { HashCrew } from '../transfer/hash-crew.ts';
import type { SeedShelf } from '../transfer/seed-shelf.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import type { SpaceGuard } from './space-guard.ts';

/** What the sinks of one store share. */
export interface SinkRoom {
  readonly fileSystem: FileSystem;
  readonly seeds: SeedShelf;
  readonly pieces: BufferPool;
  readonly crew: HashCrew;
  readonly space: SpaceGuard;
  readonly onFlushFailure: (fault: BodyFault) => void;
  readonly onEnd: (sink: BodySink) => void;
}

export interface SinkFile {
  readonly ref: BodyRef;
  readonly path: string;
  readonly directory: string;
  readonly file: OpenFile;
  readonly key: BodyKey | undefined;
}
