import { parseMailboxId, toHeaderText } from '@openmesh/protocol';
import { clientError } from './errors/client-errors.ts';
import { settleLimits } from './limits.ts';
import { type Log, warnOnly } from './log.ts';
import type { MeshClientOptions, TlsOptions } from './options.ts';
import { settleRetryPolicy } from './retry.ts';
import type { Session } from './session.ts';
import { hostSurroundings } from './surroundings.ts';
import { sdkVersion } from './version.ts';
import { isLoopback, readProxyAddress, readServiceAddress, type ServiceAddress } from './wire/address.ts';
import { makeAgent } from './wire/agents.ts';
import { readTls } from './wire/tls.ts';
import { makeTokens } from './wire/tokens.ts';
import { makeTransport } from './wire/transport.ts';

/** Checks the options and builds what every call uses. Opens no connection. */
export function makeSession(options: MeshClientOptions): Session {
  const mailbox = parseMailboxId(options.mailboxId);
  if (mailbox === undefined) invalid('mailboxId is no mailbox id');
  if (options.sharedKey === '') invalid('sharedKey is empty');
  const address = readServiceAddress(options.url);
  const limits = settleLimits(options.limits);
  const surroundings = { ...hostSurroundings, ...options.surroundings };
  const log = options.log ?? warnOnly;
  const proxy = options.proxy === undefined ? undefined : readProxyAddress(options.proxy);
  const { keepConnections = true } = options;
  const agentOf = (tls: TlsOptions | undefined): ReturnType<typeof makeAgent> =>
    makeAgent({ address, tls: readTls(tls), proxy, limits, keepConnections });
  const transport = makeTransport(address, agentOf(options.tls), limits);
  warnOfDangers(options, address, log);
  const { password, sharedKey } = options;
  return {
    mailbox,
    origin: address.origin,
    limits,
    surroundings,
    log,
    policy: settleRetryPolicy(options.retry),
    transport,
    renewTls(tls) {
      transport.useAgent(agentOf(tls));
      warnOfDangers({ ...options, tls }, address, log);
    },
    token: makeTokens({ mailbox, password, sharedKey }, surroundings),
    userAgent: toHeaderText(
      `${options.application === undefined ? '' : `${options.application} `}openmesh-sdk/${sdkVersion}`,
    ),
  };
}

function warnOfDangers(options: MeshClientOptions, { isSecure, hostname, origin }: ServiceAddress, log: Log): void {
  if (isSecure && options.tls?.dangerouslyAcceptAnyServerCertificate === true) {
    const text = `The certificate of ${origin} is not checked: password and messages go to whoever answers there.`;
    log({ level: 'warning', event: 'server-certificate-not-verified', text });
  }
  if (isSecure || isLoopback(hostname)) return;
  if (options.dangerouslyAllowPlainHttp !== true) {
    invalid('url is plain HTTP to another machine; use https://, or set dangerouslyAllowPlainHttp');
  }
  const text = `Requests to ${origin} are not encrypted: whoever is on the way can read and change them.`;
  log({ level: 'warning', event: 'plain-http', text });
}

function invalid(detail: string): never {
  throw clientError('invalid-option', 'configure', { detail });
}
