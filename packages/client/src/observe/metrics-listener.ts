import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

export interface MetricsParts {
  readonly port: number;
  readonly registry: Registry;
  /** Every mailbox's last turns went well. */
  readonly isHealthy: () => boolean;
}

/** `/metrics` for Prometheus, `/health` and `/ready` for supervisors; on loopback, for they are for this machine alone. */
export async function listenForMetrics({ port, registry, isHealthy }: MetricsParts): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type });
      response.end(body);
    };
    const path = (request.url ?? '').split('?')[0];
    if (request.method !== 'GET') return answer(405, 'text/plain', 'GET only\n');
    switch (path) {
      case '/metrics':
        void registry.metrics().then(
          (text) => answer(200, registry.contentType, text),
          () => answer(500, 'text/plain', 'the metrics could not be read\n'),
        );
        return undefined;
      case '/health':
        return answer(200, 'application/json', '{"status":"running"}\n');
      case '/ready':
        return isHealthy()
          ? answer(200, 'application/json', '{"ready":true}\n')
          : answer(503, 'application/json', '{"ready":false}\n');
      default:
        return answer(404, 'text/plain', '/metrics, /health or /ready\n');
    }
  });
  server.requestTimeout = 10_000;
  server.listen(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  server.unref();
  return server;
}
