import type { CredentialFiles } from './certificates.ts';
import type { Caller } from './token.ts';

/** A server in a process of its own, listening with mutual TLS on 127.0.0.1. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Ends the process and resolves when it is gone; at once when it is gone already. */
  stop(): Promise<void>;
}

export interface ExchangeOptions {
  /** For the ledger and the bodies; what is there from an earlier start is kept. */
  readonly directory: string;
  readonly credentials: CredentialFiles;
  readonly sharedKey: string;
}

/** Where `startExchange` keeps its records under `directory`. */
export function ledgerPath(directory: string): string {
  return `${directory}/ledger.sqlite`;
}

/** Makes the ledger, with these mailboxes active. */
export function provision(_options: ExchangeOptions, _mailboxes: readonly Caller[]): Promise<void> {
  return Promise.reject(new Error('there is no exchange to provision yet'));
}

/** Starts the exchange in its live profile; resolves when it is ready, rejects when it ends before. */
export function startExchange(_options: ExchangeOptions): Promise<RunningServer> {
  return Promise.reject(new Error('there is no exchange to start yet'));
}
