import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../../http/metrics.ts';
import type { Readiness } from './probe.ts';

/** `GET /metrics`: the Prometheus text format. */
export function addMetricsRoute(server: FastifyInstance, metrics: Pick<Metrics, 'read'>): void {
  server.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics.read();
    return reply.header('content-type', contentType).header('cache-control', 'no-store').send(text);
  });
}

/** `GET /health`: 200 as long as the process can answer at all; asks nothing else, so that nothing else restarts it. */
export function addHealthRoute(server: FastifyInstance): void {
  server.get('/health', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'running' }));
}

/** `GET /ready`: 200, or 503 while a check fails, with the outcome of each. */
export function addReadyRoute(server: FastifyInstance, askAll: () => Promise<Readiness>): void {
  server.get('/ready', async (_request, reply) => {
    const readiness = await askAll();
    return reply
      .code(readiness.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(readiness);
  });
}
