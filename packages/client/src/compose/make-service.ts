import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { MeshClient, type MeshClientOptions, type TlsOptions } from '@openmesh/sdk';
import type { ClientConfig, MailboxConfig } from '../config/config.ts';
import { codeOf } from '../folders/durable.ts';
import { type Credentials, KeyStoreFault } from '../keystore/credentials.ts';
import { readKeyStore } from '../keystore/read-key-store.ts';
import type { Log } from '../observe/log.ts';
import { clientVersion } from '../version.ts';

/** The client's key and certificates, from a key store or from PEM files; all undefined where none is configured. */
export function readCredentials(config: ClientConfig): Credentials {
  const { keyStorePath, keyStorePassword, certificateFile, keyFile, keyPassword, authorityFile } = config;
  const authorities = authorityFile === undefined ? [] : splitPem(readFile(authorityFile, 'AuthorityFile'));
  if (keyStorePath !== undefined) {
    const store = readKeyStore(readBytes(keyStorePath, 'KeyStorePath'), keyStorePassword ?? '');
    return { ...store, authorities: [...store.authorities, ...authorities] };
  }
  if (certificateFile === undefined || keyFile === undefined) return { identity: undefined, authorities };
  const chain = splitPem(readFile(certificateFile, 'CertificateFile'));
  return { identity: { key: readFile(keyFile, 'KeyFile'), passphrase: keyPassword, chain }, authorities };
}

function readFile(path: string, setting: string): string {
  return readBytes(path, setting).toString('latin1');
}

function readBytes(path: string, setting: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new KeyStoreFault(`${setting} names a file that cannot be read (${codeOf(error)})`);
  }
}

/** Each certificate of a PEM text by itself. */
export function splitPem(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}

export interface ServiceChoice {
  readonly config: ClientConfig;
  readonly sharedKey: string;
  readonly credentials: Credentials;
  /** `http://…` of a proxy that knows CONNECT. */
  readonly proxy: string | undefined;
  readonly log: Log;
}

/** The SDK's client of one mailbox. Throws a MeshError where key and certificate do not fit together. */
export function makeService(choice: ServiceChoice, mailbox: MailboxConfig): MeshClient {
  return new MeshClient(serviceOptions(choice, mailbox));
}

/** What the SDK is told of one mailbox. */
export function serviceOptions(
  { config, sharedKey, credentials, proxy, log }: ServiceChoice,
  mailbox: MailboxConfig,
): MeshClientOptions {
  return {
    url: config.url,
    mailboxId: mailbox.id,
    password: mailbox.password,
    sharedKey,
    tls: tlsOptions(config, credentials),
    proxy,
    dangerouslyAllowPlainHttp: config.allowPlainHttp,
    application: `openmesh-client/${clientVersion}`,
    retry: { attempts: config.serverRetry },
    limits: {
      chunkBytes: 99 * 1024 * 1024,
      downloadBytes: config.messageBytesMax * 2,
      sockets: Math.max(config.maxConnections, mailbox.parallelSends + 1),
    },
    log: ({ level, event, text }) =>
      log({
        level: level === 'warning' ? 'warn' : 'debug',
        event,
        component: 'ServiceManager',
        mailbox: mailbox.id,
        text,
      }),
  };
}

/** Authorities of the key store are trusted besides those that Node knows, as Java trusts those of its own store. */
export function tlsOptions({ serverName }: ClientConfig, { identity, authorities }: Credentials): TlsOptions {
  return {
    ...(identity === undefined
      ? {}
      : {
          certificate: {
            kind: 'pem',
            certificate: identity.chain.join('\n'),
            key: identity.key,
            passphrase: identity.passphrase,
          },
        }),
    ...(authorities.length === 0 ? {} : { authorities: [...rootCertificates, ...authorities] }),
    serverName,
  };
}
