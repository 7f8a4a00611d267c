import { BodyFault, type BodyRef } from '../bodies.ts';
import { BodyStoreProblem, type BodyStoreProblemKind } from '../body-store-problem.ts';
import { digestOf, type ObjectStore } from './object-store.ts';
import { describeS3Error } from './s3-fault.ts';

/** A store that has not answered by then is as good as away. */
const checkMsMax = 10_000;

/**
 * Does once, at the start, all that the exchange will ask of the store: lists, writes under a fresh key, reads back,
 * deletes, looks for uploads. Rejects with `BodyStoreProblem`; close the store then, for requests may be under way.
 * Should the process die meanwhile, the orphan sweep finds the object.
 */
export async function checkStore(objects: ObjectStore, freshKey: BodyRef): Promise<void> {
  const { bucket, prefix } = objects.place;
  const place = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new BodyStoreProblem('unreachable', place, new Error(`no answer within ${checkMsMax} ms`))),
    checkMsMax,
  );
  try {
    await Promise.race([check(objects, freshKey, place), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function check(objects: ObjectStore, freshKey: BodyRef, place: string): Promise<void> {
  const asked = Buffer.from('the exchange checks that it may write here');
  try {
    for await (const { name } of objects.list()) if (name !== '') break;
    for await (const { name } of objects.openUploads()) if (name !== '') break;
  } catch (error) {
    throw new BodyStoreProblem(kindOf(error), place, error);
  }
  try {
    await objects.put(freshKey, asked, () => digestOf(asked));
    const got: Uint8Array[] = [];
    for await (const piece of (await objects.range(freshKey, 0, asked.length)).pieces) got.push(piece);
    if (Buffer.compare(Buffer.concat(got), asked) !== 0) throw new BodyFault('corrupt', 'other bytes came back');
    await objects.remove([freshKey]);
  } catch (error) {
    const kind = kindOf(error);
    // A store says 400 or 501 to an encryption that it cannot give.
    const refused = kind === 'failed' && [400, 501].includes(describeS3Error(error).status ?? 0);
    throw new BodyStoreProblem(refused && objects.asksEncryption ? 'encryption' : kind, place, error);
  }
}

const connectionCodes =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|UND_ERR_SOCKET)$/;
const certificateCodes = /^(.*CERT.*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_.*|ERR_TLS_.*)$/;

function kindOf(error: unknown): BodyStoreProblemKind {
  const { name, status, code } = describeS3Error(error);
  if (connectionCodes.test(code) || name === 'TimeoutError' || name === 'AbortError') return 'unreachable';
  if (certificateCodes.test(code)) return 'certificate';
  switch (name) {
    case 'CredentialsProviderError':
    case 'TokenProviderError':
      return 'no-credentials';
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidToken':
    case 'ExpiredToken':
      return 'wrong-credentials';
    case 'RequestTimeTooSkewed':
      return 'clock';
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return 'wrong-region';
    case 'NoSuchBucket':
      return 'no-bucket';
    default:
      return status === 403 || status === 401 ? 'forbidden' : 'failed';
  }
}
