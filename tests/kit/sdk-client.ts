import { MeshClient, type MeshClientOptions } from '@openmesh/sdk';
import { testCertificates } from './certificates.ts';
import { type ExchangeInProcess, kitSharedKey } from './running-exchange.ts';
import { seededPassword } from './seeded-registry.ts';

/** What a mailbox needs to use the kit's exchange by the SDK; its pauses take no time. */
export async function sdkOptions(
  exchange: ExchangeInProcess,
  mailboxId: string,
  more: Partial<MeshClientOptions> = {},
): Promise<MeshClientOptions> {
  const { authority, clients } = await testCertificates();
  const certificate = { kind: 'pem', certificate: clients.x26.cert, key: clients.x26.key } as const;
  const { surroundings, ...rest } = more;
  return {
    url: exchange.url,
    mailboxId,
    password: seededPassword,
    sharedKey: kitSharedKey,
    tls: { authorities: [authority], certificate },
    surroundings: { nowMs: exchange.clock.nowMs, wait: noPause, ...surroundings },
    ...rest,
  };
}

/** An SDK client made of `sdkOptions`. `await using` closes it. */
export async function sdkClient(...options: Parameters<typeof sdkOptions>): Promise<MeshClient> {
  return new MeshClient(await sdkOptions(...options));
}

/** Waits no time; an abort ends it as it would end a real pause. */
export function noPause(_ms: number, signal: AbortSignal | undefined): Promise<void> {
  return signal?.aborted === true ? Promise.reject(new Error('aborted')) : Promise.resolve();
}
