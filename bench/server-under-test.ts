import type { CredentialFiles } from './certificates.ts';
import type { Caller } from './token.ts';

/** A server in a process of its own, listening with mutual TLS on 127.0.0.1. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Ends the process and resolves when it is gone. */
  stop(): Promise<void>;
}

export interface ExchangeOptions {
  /** An empty directory for the ledger and the bodies. */
  readonly directory: string;
  readonly credentials: CredentialFiles;
  readonly sharedKey: string;
  readonly mailboxes: readonly Caller[];
}

/** Starts the exchange in its live profile with these mailboxes; rejects when it ends before it is ready. */
export function startExchange(_options: ExchangeOptions): Promise<RunningServer> {
  return Promise.reject(new Error('there is no exchange to start yet'));
}
