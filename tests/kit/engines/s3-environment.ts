import type { CephStore } from './ceph.ts';

/** The settings of an exchange that keeps its bodies in a bucket of the test's store. */
export function s3Environment(ceph: CephStore, bucket: string, prefix = 'bodies'): Record<string, string> {
  return {
    ...ceph.credentials,
    // The chain of credentials would go on to ask a machine of a cloud.
    AWS_EC2_METADATA_DISABLED: 'true',
    OPENMESH_BODIES: `s3://${bucket}/${prefix}`,
    OPENMESH_S3_ENDPOINT: ceph.endpoint(),
  };
}
