import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { makeService, readCredentials, tlsOptions } from './compose/make-service.ts';
import type { Environment } from './config/build-config.ts';
import type { ClientConfig } from './config/config.ts';
import { readProxy } from './config/proxy-ini.ts';
import type { Journal } from './journal/journal.ts';
import { openJournal } from './journal/sqlite-journal.ts';
import type { Credentials } from './keystore/credentials.ts';
import type { MailboxParts } from './mailbox/mailbox-parts.ts';
import { MailboxWorker } from './mailbox/mailbox-worker.ts';
import { Slots } from './mailbox/slots.ts';
import { type Counters, makeCounters } from './observe/counters.ts';
import type { Log } from './observe/log.ts';

/** There is no shared key. The sentence says what is missing and who issues it. */
export class SharedKeyMissing extends Error {
  override readonly name = 'SharedKeyMissing';
  constructor() {
    super(
      'the shared key of the environment is missing: NHS England issues it with a mailbox (for OpenMESH, whoever runs the exchange); put it into a file and name that in OPENMESH_SHARED_KEY_FILE',
    );
  }
}

/** The client put together; nothing works until `run`. */
export interface ComposedClient extends Disposable {
  readonly workers: readonly MailboxWorker[];
  readonly journal: Journal;
  readonly counters: Counters;
  readonly registry: Registry;
  /** Those in use. */
  readonly credentials: Credentials;
  /** Other keys and certificates for every mailbox. Throws a MeshError, and changes nothing, when they do not fit together. */
  useCredentials(credentials: Credentials): void;
}

/** Builds everything a configuration asks for. Throws SharedKeyMissing, a KeyStoreFault, a ConfigFault or a MeshError. */
export function composeClient(config: ClientConfig, env: Environment, log: Log): ComposedClient {
  if (config.sharedKey === undefined) throw new SharedKeyMissing();
  let credentials = readCredentials(config);
  const proxy = readProxy(config.proxyPath, env);
  const registry = new Registry();
  const counters = makeCounters(registry);
  const choice = { config, sharedKey: config.sharedKey, credentials, proxy, log };
  const services = config.mailboxes.map((mailbox) => ({ mailbox, service: makeService(choice, mailbox) }));
  mkdirSync(config.workPath, { recursive: true });
  const journal = openJournal(journalFileIn(config.workPath));
  const slots = new Slots(config.maxConnections);
  const workers = services.map(({ mailbox, service }) => {
    const parts: Omit<MailboxParts, 'tree'> = {
      config,
      mailbox,
      journal,
      service,
      slots,
      log,
      counters,
      rules: config,
      lineEnd: lineEndOf(config.lineEnd),
      nowMs: Date.now,
      newKey: randomUUID,
    };
    return new MailboxWorker(parts);
  });
  return {
    workers,
    journal,
    counters,
    registry,
    get credentials() {
      return credentials;
    },
    useCredentials(fresh) {
      for (const { service } of services) service.renewTls(tlsOptions(config, fresh));
      credentials = fresh;
    },
    [Symbol.dispose]: () => {
      for (const { service } of services) service.close();
      journal[Symbol.dispose]();
    },
  };
}

export function journalFileIn(workPath: string): string {
  return join(workPath, 'journal.sqlite');
}

function lineEndOf(choice: ClientConfig['lineEnd']): '\n' | '\r\n' {
  if (choice === 'system') return process.platform === 'win32' ? '\r\n' : '\n';
  return choice === 'crlf' ? '\r\n' : '\n';
}
