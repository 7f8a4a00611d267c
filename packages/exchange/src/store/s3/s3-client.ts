import { createHash } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';

export interface S3ClientOptions {
  /** `https://…` of a store of one's own; the one of the region when undefined. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** The bucket in the path of an address, as stores of one's own ask for, rather than in the name of the host. */
  readonly pathStyle: boolean;
  readonly connectionsMax: number;
  /** How long the store may say nothing in the middle of an answer; 30 s when absent. */
  readonly silenceMsMax?: number;
  /** The standard chain, read anew as they expire, when absent. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const connectMsMax = 5_000;
/** Until the head of the answer is there. */
const answerMsMax = 30_000;
const silenceMsMaxDefault = 30_000;
/** A request that failed for a reason that may pass is made so often in all. */
const attemptsMax = 3;

const nothingToSay = (): void => undefined;
/** The library's own remarks: what matters of them reaches the caller as an error. */
const silent = {
  trace: nothingToSay,
  debug: nothingToSay,
  info: nothingToSay,
  warn: nothingToSay,
  error: nothingToSay,
};

/**
 * A client for any S3-compatible store. Credentials come from the standard chain: environment, shared files, web
 * identity, container, machine. Checksums of later dialects are sent and asked for only where the protocol requires
 * one, for older stores refuse or ignore them.
 */
export function createS3Client(options: S3ClientOptions): S3Client {
  const { endpoint, region, pathStyle, connectionsMax, credentials } = options;
  const agent = { keepAlive: true, maxSockets: connectionsMax };
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    maxAttempts: attemptsMax,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    logger: silent,
    requestHandler: {
      connectionTimeout: connectMsMax,
      requestTimeout: answerMsMax,
      throwOnRequestTimeout: true,
      socketTimeout: options.silenceMsMax ?? silenceMsMaxDefault,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  });
  giveMd5OfDeletions(client);
  return client;
}

interface Headed {
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

function isHeaded(request: unknown): request is Headed {
  return typeof request === 'object' && request !== null && 'headers' in request;
}

/** Deleting many objects at once asks for a digest of the list; older stores know only MD5 in its own header. */
function giveMd5OfDeletions(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (call) => {
        const { request } = call;
        if (commandName === 'DeleteObjectsCommand' && isHeaded(request) && typeof request.body === 'string') {
          for (const name of Object.keys(request.headers)) {
            if (/^x-amz-(checksum-|sdk-checksum)/i.test(name)) Reflect.deleteProperty(request.headers, name);
          }
          request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64');
        }
        return next(call);
      },
    { step: 'build', priority: 'low', name: 'openmeshDeletionsMd5' },
  );
}

/** Signs `digest` as that of the payload: the library would hash it on the calling thread. */
export function withPayloadDigest<Command extends { readonly middlewareStack: object }>(
  command: Command,
  digest: string,
): Command {
  const stack = command.middlewareStack as Pick<S3Client['middlewareStack'], 'add'>;
  stack.add(
    (next) => (call) => {
      if (isHeaded(call.request)) call.request.headers['x-amz-content-sha256'] = digest;
      return next(call);
    },
    { step: 'build', priority: 'low', name: 'openmeshPayloadDigest' },
  );
  return command;
}
