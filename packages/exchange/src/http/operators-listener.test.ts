import { createConnection } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Probe } from '../api/operators/probe.ts';
import { type OperatorsListener, type OperatorsListenerOptions, startOperatorsListener } from './operators-listener.ts';

let listener: OperatorsListener | undefined;
const faults: unknown[] = [];

afterEach(async () => {
  await listener?.stop();
  listener = undefined;
  faults.length = 0;
});

async function start(options: Partial<OperatorsListenerOptions> = {}): Promise<string> {
  listener = await startOperatorsListener({
    host: '127.0.0.1',
    port: 0,
    metrics: { read: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'openmesh_up 1\n' }) },
    probes: [],
    log: { error: (event, error, fields) => faults.push([event, error, fields]) },
    ...options,
  });
  return `http://127.0.0.1:${listener.port}`;
}

function probe(name: string, check: Probe['check']): Probe {
  return { name, check };
}

describe('the operators’ listener', () => {
  it('answers metrics in their own content type and health while it runs', async () => {
    const origin = await start();
    const metrics = await fetch(`${origin}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toBe('openmesh_up 1\n');
    expect(await (await fetch(`${origin}/health`)).json()).toEqual({ status: 'running' });
  });

  it('is ready when every check is, and names each one that is not with its reason', async () => {
    let full = false;
    const disk = probe('disk', () => Promise.resolve({ ok: !full, reason: 'below the reserve' }));
    const origin = await start({ probes: [probe('ledger', () => Promise.resolve({ ok: true })), disk] });
    const ready = await fetch(`${origin}/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      {
        ready: true,
        checks: [
          { name: 'ledger', ok: true },
          { name: 'disk', ok: true },
        ],
      },
    ]);
    full = true;
    const unready = await fetch(`${origin}/ready`);
    expect([unready.status, await unready.json()]).toEqual([
      503,
      {
        ready: false,
        checks: [
          { name: 'ledger', ok: true },
          { name: 'disk', ok: false, reason: 'below the reserve' },
        ],
      },
    ]);
  });

  it('counts a check that throws or never answers as failed, and answers all the same', async () => {
    const secret = new Error('the password is hunter2');
    const probes = [
      probe('throws', () => Promise.reject(secret)),
      probe('hangs', () => Promise.withResolvers<never>().promise),
    ];
    const origin = await start({ probes, probeLimitMs: 20 });
    const response = await fetch(`${origin}/ready`);
    const text = await response.text();
    expect(response.status).toBe(503);
    expect(text).not.toContain('hunter2');
    expect(JSON.parse(text)).toMatchObject({
      checks: [
        { name: 'throws', ok: false },
        { name: 'hangs', ok: false },
      ],
    });
    expect(faults).toEqual([['probe-failed', secret, { probe: 'throws' }]]);
  });

  it('asks the checks once for all who ask at the same time', async () => {
    const gate = Promise.withResolvers<{ ok: boolean }>();
    const asked = Promise.withResolvers<void>();
    let count = 0;
    const origin = await start({
      probes: [
        probe('slow', () => {
          count += 1;
          asked.resolve();
          return gate.promise;
        }),
      ],
    });
    const first = fetch(`${origin}/ready`);
    await asked.promise;
    const second = fetch(`${origin}/ready`);
    // A request on another connection has come and gone, so the second one has most likely arrived as well.
    await fetch(`${origin}/health`);
    gate.resolve({ ok: true });
    expect((await first).status).toBe(200);
    expect((await second).status).toBe(200);
    expect(count).toBeLessThanOrEqual(2);
  });

  it('says nothing of the path or the fault in its errors', async () => {
    const origin = await start({ metrics: { read: () => Promise.reject(new Error('hunter2')) } });
    for (const path of ['/metrics', '/nobody/hunter2', '/health?x=hunter2%']) {
      expect(await (await fetch(origin + path)).text()).not.toContain('hunter2');
    }
    expect((await fetch(`${origin}/metrics`)).status).toBe(500);
    expect((await fetch(`${origin}/metrics`, { method: 'POST' })).status).toBe(404);
  });

  it('stops with connections open, and frees its port', async () => {
    const origin = await start();
    const port = Number(new URL(origin).port);
    const idle = createConnection(port, '127.0.0.1');
    const closed = Promise.withResolvers<void>();
    idle.on('close', () => closed.resolve());
    idle.on('error', () => undefined);
    await fetch(`${origin}/health`);
    await listener?.stop();
    await closed.promise;
    listener = undefined;
    await start({ port });
  });

  it('says so when its port is taken', async () => {
    const origin = await start();
    const port = Number(new URL(origin).port);
    const second = startOperatorsListener({
      host: '127.0.0.1',
      port,
      metrics: { read: () => Promise.reject(new Error('never read')) },
      probes: [],
      log: { error: () => undefined },
    });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
