import type { Blobs } from '../store/blobs.ts';
import { BodyFault, type BodyRef } from '../store/bodies.ts';
import type { NamedBody } from '../store/ledger-snapshot.ts';
import { checkBody, type OpenSealedBody, readThrough } from './check-body.ts';
import { inOrder } from './in-order.ts';

const lanes = 4;
const namedMax = 100;

export interface BodiesCopied {
  readonly bodies: number;
  /** Of them, those that were there already, as they should be. */
  readonly there: number;
  readonly bytes: number;
  /** By their length alone: the ledger keeps no digest, or their key is not at hand. */
  readonly unchecked: number;
  /** Those that the source did not have as they should be, the first hundred. */
  readonly absent: readonly { readonly ref: string; readonly why: 'missing' | 'damaged' }[];
  readonly absentCount: number;
}

/** Copies bodies under their own names to another store, checked as they pass; what is there is checked, and left when good. */
export async function copyBodies(
  named: AsyncIterable<NamedBody>,
  from: Pick<Blobs, 'read'>,
  to: Pick<Blobs, 'size' | 'read' | 'write'>,
  options: NamedNow & {
    readonly openSealed: OpenSealedBody;
    readonly progress: (so: { done: number; bytes: number }) => void;
  },
): Promise<BodiesCopied> {
  const sum = { bodies: 0, there: 0, bytes: 0, unchecked: 0, absentCount: 0 };
  const absent: { ref: string; why: 'missing' | 'damaged' }[] = [];
  const copy = async (body: NamedBody): Promise<{ body: NamedBody; outcome: Outcome }> => {
    const there = await lookAt(to, body, options.openSealed);
    if (there === 'unchecked') sum.unchecked += 1;
    if (there !== 'wrong') return { body, outcome: 'there' };
    const copying = async (): Promise<void> => {
      const { bytes, isChecked } = await checkBody(from, body, options.openSealed);
      await to.write(body.ref, bytes);
      if (!isChecked) sum.unchecked += 1;
    };
    return { body, outcome: await noting(body, options, copying) };
  };
  for await (const { body, outcome } of inOrder(named, lanes, copy)) {
    if (outcome === 'missing' || outcome === 'damaged') {
      sum.absentCount += 1;
      if (absent.length < namedMax) absent.push({ ref: body.ref, why: outcome });
    }
    if (outcome === 'there') sum.there += 1;
    if (outcome === 'copied') sum.bytes += body.sizeBytes;
    if (outcome === 'there' || outcome === 'copied') sum.bodies += 1;
    options.progress({ done: sum.bodies, bytes: sum.bytes });
  }
  return { ...sum, absent };
}

/** Whether what lies at the target is the body; what cannot be read is not. */
async function lookAt(
  to: Pick<Blobs, 'size' | 'read'>,
  body: NamedBody,
  openSealed: OpenSealedBody,
): Promise<'good' | 'unchecked' | 'wrong'> {
  if ((await to.size(body.ref)) !== body.sizeBytes) return 'wrong';
  try {
    const { bytes, isChecked } = await checkBody(to, body, openSealed);
    if (!isChecked) return 'unchecked';
    await readThrough(bytes);
    return 'good';
  } catch (error) {
    if (error instanceof BodyFault) return 'wrong';
    throw error;
  }
}

export type CopyOutcome =
  | 'copied'
  /** The source does not have it, or not as the ledger knows it. */
  | 'missing'
  | 'damaged'
  /** Its date came meanwhile, or the ledger names another in its place: deletion was right, and nobody will miss it. */
  | 'gone';
type Outcome = CopyOutcome | 'there';

/** What tells of a body that is not there whether it should be. */
export interface NamedNow {
  readonly nowMs: () => number;
  /** Asks the ledger as it is now, not the copy of it. */
  readonly isNamedNow: (ref: BodyRef) => Promise<boolean>;
}

/** Runs the copying of one body; what is wrong with its source is an outcome, and every other fault passes. */
export async function noting(body: NamedBody, now: NamedNow, copy: () => Promise<void>): Promise<CopyOutcome> {
  try {
    await copy();
    return 'copied';
  } catch (error) {
    const kind = error instanceof BodyFault ? error.kind : undefined;
    if (kind === 'corrupt') return 'damaged';
    if (kind !== 'missing') throw error;
    return body.keepUntilMs <= now.nowMs() || !(await now.isNamedNow(body.ref)) ? 'gone' : 'missing';
  }
}
