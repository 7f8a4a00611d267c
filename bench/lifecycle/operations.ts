/** The four requests of a lifecycle, in order. */
export const operations = ['send', 'list', 'download', 'acknowledge'] as const;
export type Operation = (typeof operations)[number];

/** One answer as it was on the wire: what the echo server repeats. */
export interface Answer {
  readonly status: number;
  /** Status line and headers, without the empty line. */
  readonly head: string;
  /** The body as text; empty for a download, whose body is the message. */
  readonly body: string;
}

/** The answers of one lifecycle, and the message id that appears in them. */
export interface Answers {
  readonly messageId: string;
  readonly byOperation: Readonly<Record<Operation, Answer>>;
}

/** A sender and a recipient that only one connection uses at a time. */
export interface MailboxPair {
  readonly sender: { readonly mailbox: string; readonly password: string };
  readonly recipient: { readonly mailbox: string; readonly password: string };
}

/** What one worker thread is told. */
export interface WorkerOrder {
  /** Of the nodes; connections are spread over them. */
  readonly ports: readonly number[];
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
  readonly sharedKey: string;
  /** For each connection of the thread, the pairs it takes in turn. */
  readonly lanes: readonly (readonly MailboxPair[])[];
  /** Tokens for this many lifecycles are made before the start, for each connection. */
  readonly lifecyclesPrepared: number;
  readonly bodyBytesMin: number;
  readonly bodyBytesMax: number;
  /** Whether a download must carry the stamp of the message sent; the echo server keeps nothing, so it cannot. */
  readonly checkStamp: boolean;
  /** One Int32: a Phase, set by the main thread. */
  readonly phase: SharedArrayBuffer;
}

/** Set by the main thread; a lane that finishes a lifecycle in `stop` ends there, so every inbox is left empty. */
export const phases = { warmUp: 0, measure: 1, stop: 2 } as const;

/** What a worker thread says. `samples` holds, for each lifecycle of the window, five ms figures: whole, then each operation. */
export type WorkerReport =
  | { readonly kind: 'ready'; readonly cipher: string }
  | { readonly kind: 'answers'; readonly answers: Answers }
  | { readonly kind: 'done'; readonly samples: Float64Array<ArrayBuffer>; readonly tokensMadeLate: number }
  | { readonly kind: 'failed'; readonly message: string };

export const figuresPerSample = 1 + operations.length;
