import { promises, statSync } from 'node:fs';

/** Whether the path of an open ledger still leads to the file that was opened. */
export interface FilePlace {
  /** As of the last look: the file was removed, or another lies in its place. */
  readonly isLost: boolean;
  /** Begins to look again, unless that is under way. Nobody waits for it: the disk may hang, and what is known still holds. */
  look(): void;
}

/** To be called when the file has been opened. `changed` is told when it is lost, and when it is back. */
export function watchFilePlace(path: string, changed: (isLost: boolean) => void): FilePlace {
  const opened = statSync(path, { bigint: true });
  let isLost = false;
  let looking = false;
  const leadsElsewhere = async (): Promise<boolean> => {
    try {
      const { dev, ino } = await promises.stat(path, { bigint: true });
      return dev !== opened.dev || ino !== opened.ino;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Whatever else keeps us from looking says nothing about the file.
      return code === 'ENOENT' || code === 'ENOTDIR' ? true : isLost;
    }
  };
  const lookNow = async (): Promise<void> => {
    looking = true;
    const found = await leadsElsewhere();
    looking = false;
    if (found === isLost) return;
    isLost = found;
    changed(isLost);
  };
  return {
    get isLost() {
      return isLost;
    },
    look() {
      if (!looking) void lookNow();
    },
  };
}
