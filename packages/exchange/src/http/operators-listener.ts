import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { addHealthRoute, addMetricsRoute, addReadyRoute } from '../api/operators/observe.ts';
import { createReadiness, type Probe } from '../api/operators/probe.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface OperatorsListenerOptions {
  /** A loopback address. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'read'>;
  readonly probes: readonly Probe[];
  readonly log: Pick<Log, 'error'>;
  /** How long one probe may take; 5 seconds unless given. */
  readonly probeLimitMs?: number;
}

export interface OperatorsListener {
  readonly host: string;
  readonly port: number;
  /** Ends every connection and frees the port. */
  stop(): Promise<void>;
}

/** Few and near: one collector of metrics, one supervisor, a person. */
const connectionsMax = 64;
const requestTimeoutMs = 10_000;
const keepAliveMs = 75_000;
const headerBytesMax = 8192;
const bodyBytesMax = 1024;

/**
 * Opens the listener for operators: `/metrics`, `/health` and `/ready`, without sign-in, hence on loopback only.
 * @throws Error when the address cannot be had
 */
export async function startOperatorsListener(options: OperatorsListenerOptions): Promise<OperatorsListener> {
  const server = fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs + keepAliveMs,
    keepAliveTimeout: keepAliveMs,
    forceCloseConnections: true,
    http: { maxHeaderSize: headerBytesMax },
  });
  server.server.maxConnections = connectionsMax;
  addErrorAnswers(server, options.log);
  addMetricsRoute(server, options.metrics);
  addHealthRoute(server);
  const readiness = createReadiness({
    probes: options.probes,
    limitMs: options.probeLimitMs ?? 5000,
    onFault: (probe, error) => options.log.error('probe-failed', error, { probe }),
  });
  addReadyRoute(server, readiness);
  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    await server.close();
    throw error;
  }
  const { address, port } = server.server.address() as AddressInfo;
  return {
    host: address,
    port,
    stop: async () => {
      await server.close();
    },
  };
}

/** The framework's own answers repeat the path and the error's message; ours say neither. */
function addErrorAnswers(server: FastifyInstance, log: Pick<Log, 'error'>): void {
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }));
  server.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (status >= 500) log.error('operators-request-failed', error);
    return reply.code(status).send({ error: status >= 500 ? 'internal error' : 'bad request' });
  });
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : 500;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
