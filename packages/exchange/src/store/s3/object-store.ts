import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { BodyFault } from '../bodies.ts';
import { encryptionHeaders, type ServerSideEncryption } from './encryption.ts';
import { createS3Client, type S3ClientOptions, withPayloadDigest } from './s3-client.ts';
import { describeS3Error, isMissing, s3Fault } from './s3-fault.ts';

/** What a bucket and a prefix are to us. */
export interface ObjectPlace {
  readonly bucket: string;
  /** '' or a path without slashes at its ends. */
  readonly prefix: string;
}

export interface ObjectStoreOptions extends S3ClientOptions {
  readonly place: ObjectPlace;
  readonly encryption: ServerSideEncryption;
}

export interface ListedObject {
  readonly name: string;
  readonly sizeBytes: number;
}

/** An upload in parts that was begun and neither completed nor aborted. */
export interface OpenUpload {
  readonly name: string;
  readonly uploadId: string;
}

/** An operation that takes longer, repetitions included, is given up: a part of 8 MiB in this time is 140 kB a second. */
const operationMsMax = 60_000;
const listPageMax = 1000;
/** What one request may delete. */
const deletionsMax = 1000;

/**
 * The few things asked of an S3-compatible store, under one prefix of a bucket. Every length is given beforehand, no
 * condition and no checksum of the dialect is relied on: old stores accept and ignore them. Rejects with the client's
 * errors, which `s3Fault` turns into ours.
 */
export class ObjectStore {
  readonly place: ObjectPlace;
  readonly #client: S3Client;
  readonly #protected: boolean;
  readonly #encryption: Record<string, string>;
  readonly #closed = new AbortController();
  /** False once the store refused to delete several objects by one request. */
  #deletesMany = true;

  constructor(options: ObjectStoreOptions) {
    this.place = options.place;
    this.#client = createS3Client(options);
    this.#protected = options.endpoint === undefined || options.endpoint.startsWith('https:');
    this.#encryption = encryptionHeaders(options.encryption);
  }

  /** Whether the store is asked to encrypt what it keeps. */
  get asksEncryption(): boolean {
    return Object.keys(this.#encryption).length > 0;
  }

  /**
   * Stores an object whole. Where the way to the store is not protected by TLS, `digest` gives the SHA-256 that the
   * store checks what it received against, lower-case hex.
   */
  async put(name: string, body: Uint8Array, digest: () => Promise<string>, signal?: AbortSignal): Promise<void> {
    const input = { ...this.#at(name), Body: body, ContentLength: body.length, ...this.#encryption };
    const command = withPayloadDigest(new PutObjectCommand(input), await this.#payloadDigest(digest));
    await this.#client.send(command, this.#limited(signal));
  }

  /** Begins an object that comes in parts; resolves to the id of the upload. */
  async beginParts(name: string, signal?: AbortSignal): Promise<string> {
    const command = new CreateMultipartUploadCommand({ ...this.#at(name), ...this.#encryption });
    const { UploadId: uploadId } = await this.#client.send(command, this.#limited(signal));
    if (uploadId === undefined) throw new Error('the store began an upload without an id');
    return uploadId;
  }

  /** Stores part `number`, counted from 1; resolves to the tag that completes it. */
  async putPart(
    upload: OpenUpload,
    number: number,
    body: Uint8Array,
    digest: () => Promise<string>,
    signal?: AbortSignal,
  ): Promise<string> {
    const input = {
      ...this.#at(upload.name),
      UploadId: upload.uploadId,
      PartNumber: number,
      Body: body,
      ContentLength: body.length,
    };
    const command = withPayloadDigest(new UploadPartCommand(input), await this.#payloadDigest(digest));
    const { ETag: tag } = await this.#client.send(command, this.#limited(signal));
    if (tag === undefined) throw new Error('the store took a part without giving its tag');
    return tag;
  }

  /**
   * Makes the object of its parts, whose tags are given in order. An answer that was lost is found out: the store may
   * have forgotten the upload because it completed it.
   */
  async completeParts(upload: OpenUpload, tags: readonly string[], sizeBytes: number): Promise<void> {
    const parts = tags.map((tag, index) => ({ PartNumber: index + 1, ETag: tag }));
    const input = { ...this.#at(upload.name), UploadId: upload.uploadId, MultipartUpload: { Parts: parts } };
    try {
      await this.#client.send(new CompleteMultipartUploadCommand(input), this.#limited());
    } catch (error) {
      if (describeS3Error(error).name !== 'NoSuchUpload') throw error;
      if ((await this.sizeOf(upload.name)) !== sizeBytes) throw error;
    }
  }

  /** Drops an upload and its parts; one that is gone is harmless. */
  async abortParts({ name, uploadId }: OpenUpload): Promise<void> {
    try {
      await this.#client.send(
        new AbortMultipartUploadCommand({ ...this.#at(name), UploadId: uploadId }),
        this.#limited(),
      );
    } catch (error) {
      if (describeS3Error(error).name !== 'NoSuchUpload') throw error;
    }
  }

  /**
   * Bytes of an object from `start` on, as they come, at most `length`; `sizeBytes` says how many come. Read them, or end their iteration. An object that
   * ends before `start` gives none.
   */
  async range(
    name: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly pieces: AsyncIterable<Uint8Array> }> {
    const command = new GetObjectCommand({ ...this.#at(name), Range: `bytes=${start}-${start + length - 1}` });
    // How long the bytes take is the reader's affair; silence ends by the client's own limits.
    const ends = signal === undefined ? this.#closed.signal : AbortSignal.any([this.#closed.signal, signal]);
    try {
      const { Body: body, ContentLength: sizeBytes } = await this.#client.send(command, { abortSignal: ends });
      if (body === undefined || sizeBytes === undefined) throw new Error('the store gave an object without a body');
      return { sizeBytes, pieces: body as AsyncIterable<Uint8Array> };
    } catch (error) {
      if (describeS3Error(error).status !== 416) throw error;
      return { sizeBytes: 0, pieces: nothing() };
    }
  }

  /** The size of an object; undefined when there is none of this name. */
  async sizeOf(name: string): Promise<number | undefined> {
    try {
      const { ContentLength: size } = await this.#client.send(new HeadObjectCommand(this.#at(name)), this.#limited());
      return size;
    } catch (error) {
      if (isMissing(error) || describeS3Error(error).status === 404) return undefined;
      throw error;
    }
  }

  /** Deletes objects; unknown names are harmless. */
  async remove(names: readonly string[]): Promise<void> {
    for (let start = 0; start < names.length; start += deletionsMax) {
      const batch = names.slice(start, start + deletionsMax);
      if (batch.length === 1 || !(await this.#removeTogether(batch))) await this.#removeOneByOne(batch);
    }
  }

  /** Every object whose name begins with `start`, in the order of their names. */
  async *list(start = ''): AsyncGenerator<ListedObject, void, void> {
    let next: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.place.bucket,
          Prefix: this.#key(start),
          MaxKeys: listPageMax,
          ...(next !== undefined && { ContinuationToken: next }),
        }),
        this.#limited(),
      );
      for (const { Key: key, Size: size } of page.Contents ?? []) {
        if (key !== undefined) yield { name: key.slice(this.#key('').length), sizeBytes: size ?? 0 };
      }
      next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (next !== undefined);
  }

  /** Every upload in parts that was begun and not ended. */
  async *openUploads(): AsyncGenerator<OpenUpload, void, void> {
    let input: ListMultipartUploadsCommandInput | undefined = {
      Bucket: this.place.bucket,
      Prefix: this.#key(''),
      MaxUploads: listPageMax,
    };
    while (input !== undefined) {
      const page: ListMultipartUploadsCommandOutput = await this.#client.send(
        new ListMultipartUploadsCommand(input),
        this.#limited(),
      );
      for (const { Key: key, UploadId: uploadId } of page.Uploads ?? []) {
        if (key !== undefined && uploadId !== undefined) yield { name: key.slice(this.#key('').length), uploadId };
      }
      const more = page.IsTruncated === true && page.NextKeyMarker !== undefined;
      input = more ? { ...input, KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed.abort();
    this.#client.destroy();
  }

  #limited(signal?: AbortSignal): { readonly abortSignal: AbortSignal } {
    const ends = [this.#closed.signal, AbortSignal.timeout(operationMsMax)];
    return { abortSignal: AbortSignal.any(signal === undefined ? ends : [...ends, signal]) };
  }

  #key(name: string): string {
    return this.place.prefix === '' ? name : `${this.place.prefix}/${name}`;
  }

  #at(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.place.bucket, Key: this.#key(name) };
  }

  /** TLS protects the bytes on their way; where it does not, the store is given their digest. */
  #payloadDigest(digest: () => Promise<string>): Promise<string> {
    return this.#protected ? Promise.resolve('UNSIGNED-PAYLOAD') : digest();
  }

  /** False when the store does not know the request, as some do not. */
  async #removeTogether(names: readonly string[]): Promise<boolean> {
    if (!this.#deletesMany) return false;
    const objects = names.map((name) => ({ Key: this.#key(name) }));
    const input = { Bucket: this.place.bucket, Delete: { Objects: objects, Quiet: true } };
    try {
      const { Errors: refused } = await this.#client.send(new DeleteObjectsCommand(input), this.#limited());
      // What it would not delete with the others it may delete alone, or say why not.
      return refused === undefined || refused.length === 0;
    } catch (error) {
      const { status } = describeS3Error(error);
      if (status !== 400 && status !== 405 && status !== 501) throw error;
      this.#deletesMany = false;
      return false;
    }
  }

  /** What the store refuses of one object is told when all were tried; where it does not answer, no other is asked for. */
  async #removeOneByOne(names: readonly string[]): Promise<void> {
    let refused: BodyFault | undefined;
    for (const name of names) {
      try {
        await this.#client.send(new DeleteObjectCommand(this.#at(name)), this.#limited());
      } catch (error) {
        if (isMissing(error)) continue;
        const { status } = describeS3Error(error);
        if (status === undefined || status === 429 || status >= 500) throw error;
        refused ??= s3Fault(`removing ${name}`, error);
      }
    }
    if (refused !== undefined) throw refused;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {
  // There is nothing beyond the end of an object.
}

/** The SHA-256 of bytes in hand, lower-case hex. */
export function digestOf(bytes: Uint8Array): Promise<string> {
  return Promise.resolve(createHash('sha256').update(bytes).digest('hex'));
}
