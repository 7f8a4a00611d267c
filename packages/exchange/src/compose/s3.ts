import type { S3Place } from '../config/bodies-settings.ts';
import type { Config } from '../config/config.ts';
import { checkStore } from '../store/s3/check-store.ts';
import type { ServerSideEncryption } from '../store/s3/encryption.ts';
import { ObjectStore } from '../store/s3/object-store.ts';
import { newPlace, refOf } from '../store/transfer/body-key.ts';
import { randomBodyKey } from './body-keys.ts';

/** A place in an S3 store, checked. Rejects with `BodyStoreProblem`, leaving nothing open. */
export async function openObjectStore(s3: Config['s3'], place: S3Place): Promise<ObjectStore> {
  const { endpoint, region, pathStyle, connectionsMax } = s3;
  const objects = new ObjectStore({ endpoint, region, pathStyle, connectionsMax, place, encryption: encryptionOf(s3) });
  try {
    await checkStore(objects, refOf(newPlace(Date.now(), randomBodyKey())));
    return objects;
  } catch (error) {
    objects.close();
    throw error;
  }
}

function encryptionOf({ encryption, kmsKey }: Config['s3']): ServerSideEncryption {
  switch (encryption) {
    case 'none':
    case 'AES256':
      return { kind: encryption };
    case 'aws:kms':
      return { kind: encryption, keyId: kmsKey };
  }
}
