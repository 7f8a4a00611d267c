import type { Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import type { TlsContexts } from './tls/context.ts';
import type { WireRequest } from './wire/connection.ts';
import { WireServer } from './wire/server.ts';
import type { UnreadableReason } from './wire/unreadable.ts';

/** Makes the machines' server with its limits, not yet listening. */
export function createMachinesServer(
  contexts: TlsContexts,
  limits: Config['machines'],
  handle: (request: WireRequest) => Promise<void>,
  unreadable: (socket: Socket, reason: UnreadableReason) => void,
): WireServer {
  return new WireServer(contexts.createServer(), { limits, handle, unreadable });
}
