import { parseArgs } from 'node:util';

export const help = `usage: openmesh-sandbox [OPTION…]

The real exchange on this machine, with test mailboxes, administration routes and a clock that can be moved forward.

  --true       the wire rules of the true MESH: mutual TLS from a throw-away authority, strict tokens; on loopback only
  --memory     keep nothing: the store is a temporary folder that goes when the sandbox ends
  --port PORT  the port of the machines' listener; 0 takes a free one (default 8700)
  --json       print one JSON object instead of text when ready
  --help       print this

Environment, as of the Python sandbox: ENV, BUILD_LABEL, AUTH_MODE (full|none|canned), STORE_MODE (file|memory|canned),
SHARED_KEY, MAILBOXES_DATA_DIR or FILE_STORE_DIR, MESSAGE_EXPIRY_DAYS, INBOX_EXPIRY_DAYS, SSL (yes|no), PORT,
SSL_CRTFILE, SSL_KEYFILE. Every OPENMESH_* setting of the exchange may be given too, and then wins.
OPENMESH_SANDBOX_HOOKS names a JavaScript module of hooks, OPENMESH_SANDBOX_WEBHOOKS addresses to be told of events.

Exit codes: 0 stopped, 1 could not start, 3 stopped before everything had finished, 64 wrong usage,
74 the ledger failed, 78 the settings or fixtures are not good.
`;

export interface Arguments {
  readonly trueRules: boolean;
  readonly memory: boolean;
  readonly json: boolean;
  readonly port: string | undefined;
}

/** Reads the command line; `problem` is one sentence for the person who typed it. */
export function readArguments(args: readonly string[]): Arguments | 'help' | { readonly problem: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        true: { type: 'boolean', default: false },
        memory: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        port: { type: 'string' },
      },
    });
    if (values.help) return 'help';
    if (values.port !== undefined && !/^\d{1,5}$/.test(values.port)) return { problem: '--port wants a number' };
    return { trueRules: values.true, memory: values.memory, json: values.json, port: values.port };
  } catch (error) {
    // Node's first sentence names the option; what follows is advice for programmers.
    const [sentence] = (error instanceof Error ? error.message : '').split('. ');
    return { problem: sentence ?? '' };
  }
}
