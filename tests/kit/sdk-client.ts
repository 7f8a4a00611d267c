import { MeshClient, type MeshClientOptions } from '@openmesh/sdk';
import { testCertificates } from './certificates.ts';
import { type ExchangeInProcess, kitSharedKey } from './running-exchange.ts';
import { seededPassword } from './seeded-registry.ts';

/**
 * An SDK client of the kit's exchange with everything that a mailbox needs, whose pauses take no time. `await using`
 * closes it.
 */
export async function sdkClient(
  exchange: ExchangeInProcess,
  mailboxId: string,
  more: Partial<MeshClientOptions> = {},
): Promise<MeshClient> {
  const { authority, clients } = await testCertificates();
  const certificate = { kind: 'pem', certificate: clients.x26.cert, key: clients.x26.key } as const;
  const { surroundings, ...rest } = more;
  return new MeshClient({
    url: exchange.url,
    mailboxId,
    password: seededPassword,
    sharedKey: kitSharedKey,
    tls: { authorities: [authority], certificate },
    surroundings: { nowMs: exchange.clock.nowMs, wait: noPause, ...surroundings },
    ...rest,
  });
}

/** Waits no time; an abort ends it as it would end a real pause. */
export function noPause(_ms: number, signal: AbortSignal | undefined): Promise<void> {
  return signal?.aborted === true ? Promise.reject(new Error('aborted')) : Promise.resolve();
}
