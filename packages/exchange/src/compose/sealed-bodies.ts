import type { OpenSealedBody } from '../backup/check-body.ts';
import type { Config } from '../config/config.ts';
import { serveKeys } from '../keys/keys-at-hand.ts';
import { createPayloadKeys } from '../keys/payload-keys.ts';
import { SealFault } from '../keys/seal-fault.ts';
import { BodyFault } from '../store/bodies.ts';
import { systemClock } from './clocks.ts';
import { openKeys } from './stores.ts';

/** Opens encrypted bodies' keys by the secret keys of this exchange, for those who copy bodies and check them. */
export function openSealedBodies(config: Config): OpenSealedBody {
  const keys = createPayloadKeys(serveKeys(openKeys(config, systemClock)), false);
  return async ({ payloadId, wrapped, chunkNumber, seal }, sizeBytes) => {
    try {
      const key = await keys.open(payloadId, wrapped);
      return key.openBodyKey(chunkNumber, sizeBytes, seal);
    } catch (error) {
      if (!(error instanceof SealFault)) throw error;
      if (error.kind === 'unknown-key') return undefined;
      throw new BodyFault('corrupt', "the row of the body's key is not what was written", { cause: error });
    }
  };
}
