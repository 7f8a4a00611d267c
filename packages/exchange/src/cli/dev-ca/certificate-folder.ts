import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Issued } from './issue.ts';

export type FolderFaultKind =
  /** A file of that name is there already. */
  | 'exists'
  /** The folder or a file in it cannot be made. */
  | 'cannot-create'
  /** What is there cannot be read or used. */
  | 'unusable';

export class FolderFault extends Error {
  readonly kind: FolderFaultKind;
  constructor(kind: FolderFaultKind, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = 'FolderFault';
    this.kind = kind;
  }
}

/** Paths of a certificate and its key. */
export interface CertificatePaths {
  readonly certificateFile: string;
  readonly keyFile: string;
}

const folderMode = 0o700;
const keyMode = 0o600;
const certificateMode = 0o644;

/** `NAME.pem` and `NAME-key.pem` in the folder. */
export function certificatePaths(folder: string, name: string): CertificatePaths {
  return { certificateFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}-key.pem`) };
}

/** Makes the folder, readable by its owner only, unless it is there. Throws `FolderFault`. */
export async function openFolder(folder: string): Promise<void> {
  await guarded(folder, () => mkdir(folder, { recursive: true, mode: folderMode }));
}

/** Reads a pair, or answers undefined when neither file is there. Throws `FolderFault` when only one is, or on a refusal. */
export async function readPair(paths: CertificatePaths): Promise<Issued | undefined> {
  const certificatePem = await readIfThere(paths.certificateFile);
  const keyPem = await readIfThere(paths.keyFile);
  if (certificatePem === undefined && keyPem === undefined) return undefined;
  if (certificatePem === undefined || keyPem === undefined) {
    const missing = certificatePem === undefined ? paths.certificateFile : paths.keyFile;
    throw new FolderFault('unusable', `${missing} is missing beside its other half.`);
  }
  return { certificatePem, keyPem };
}

/** Writes a pair, the key readable by its owner only. Throws `FolderFault` 'exists' unless `overwrite`. */
export async function writePair(paths: CertificatePaths, issued: Issued, overwrite: boolean): Promise<void> {
  await writeText(paths.keyFile, issued.keyPem, keyMode, overwrite);
  await writeText(paths.certificateFile, issued.certificatePem, certificateMode, overwrite);
}

/** Writes one file that holds no secret. Throws `FolderFault` 'exists' unless `overwrite`. */
export async function writePublic(file: string, text: string, overwrite: boolean): Promise<void> {
  await writeText(file, text, certificateMode, overwrite);
}

async function writeText(file: string, text: string, mode: number, overwrite: boolean): Promise<void> {
  await guarded(file, async () => {
    // 'wx' makes the refusal to overwrite one step with the creation.
    await using handle = await open(file, overwrite ? 'w' : 'wx', mode);
    // A file that was there keeps its mode through opening; a key must not.
    await handle.chmod(mode);
    await handle.writeFile(text);
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'latin1');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new FolderFault('unusable', `${file} cannot be read: ${codeOf(cause)}.`, { cause });
  }
}

async function guarded(path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const code = codeOf(cause);
    throw code === 'EEXIST'
      ? new FolderFault('exists', `${path} exists already.`, { cause })
      : new FolderFault('cannot-create', `${path} cannot be created: ${code}.`, { cause });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
