/** Why a body store cannot be worked with at all. */
export type BodyStoreProblemKind =
  | 'unreachable'
  | 'certificate'
  | 'no-credentials'
  | 'wrong-credentials'
  | 'clock'
  | 'wrong-region'
  | 'no-bucket'
  | 'forbidden'
  | 'encryption'
  | 'failed';

interface ProblemEntry {
  readonly sentence: string;
  /** Who can fix it, and how. */
  readonly hint: string;
}

/** Each problem in a sentence, and what to do; docs/operate/s3.md shows the same table. */
export const bodyStoreProblems: Readonly<Record<BodyStoreProblemKind, ProblemEntry>> = {
  unreachable: {
    sentence: 'nothing answers at its address',
    hint: 'check OPENMESH_S3_ENDPOINT, the name service and the firewall; the store may be down: start again when it is up',
  },
  certificate: {
    sentence: 'its certificate is not trusted',
    hint: "give Node the store's authority by NODE_EXTRA_CA_CERTS, and use the name that the certificate is for",
  },
  'no-credentials': {
    sentence: 'there are no credentials for it',
    hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine or the container a role',
  },
  'wrong-credentials': {
    sentence: 'it does not accept the credentials',
    hint: 'check the access key and its secret; they must belong to this store',
  },
  clock: {
    sentence: "its clock and this machine's are too far apart",
    hint: 'set the clock of this machine by NTP',
  },
  'wrong-region': {
    sentence: 'the bucket lies in another region',
    hint: 'set OPENMESH_S3_REGION to the region of the bucket',
  },
  'no-bucket': {
    sentence: 'there is no such bucket',
    hint: 'make the bucket, or put its name right in OPENMESH_BODIES; the exchange makes none',
  },
  forbidden: {
    sentence: 'the credentials may not do what is needed',
    hint: 'allow them to list, read, write and delete objects under the prefix, and to list and abort uploads in parts',
  },
  encryption: {
    sentence: 'it refuses the encryption that is asked for',
    hint: 'check OPENMESH_S3_ENCRYPTION and OPENMESH_S3_KMS_KEY against what the store offers',
  },
  failed: {
    sentence: 'it failed the check at the start',
    hint: 'the cause is in the log; a store that gives back other bytes than it took cannot be used',
  },
};

/** The body store cannot be worked with; the sentence says why and who can fix it, and holds no secret. */
export class BodyStoreProblem extends Error {
  readonly kind: BodyStoreProblemKind;
  constructor(kind: BodyStoreProblemKind, place: string, cause: unknown) {
    const { sentence, hint } = bodyStoreProblems[kind];
    super(`the store ${place} cannot be used: ${sentence}; ${hint}`, { cause });
    this.name = 'BodyStoreProblem';
    this.kind = kind;
  }
}
