import { stat } from 'node:fs/promises';

/**
 * One text that changes when any of the files was replaced or written. Links are followed, so that the atomic link swap
 * of mounted secrets shows; a missing file is a state like any other.
 */
export async function stampFiles(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    files.map(async (file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
        return `${dev}.${ino}.${size}.${mtimeNs}.${ctimeNs}`;
      } catch {
        return 'unreadable';
      }
    }),
  );
  return stamps.join(' ');
}
