import { setTimeout as sleep } from 'node:timers/promises';
import { type LegOptions, runLeg } from '../lifecycle/leg.ts';
import { type ExchangeOptions, startExchange } from '../server-under-test.ts';
import { median, rounded } from '../statistics.ts';

const underLoadMs = 4000;

/**
 * Kills the exchange with SIGKILL while it serves, and times from the new process's spawn until it says it is ready.
 * The generator's failure at the kill is the point and is swallowed; a failure before it is not.
 */
export async function measureRestarts(
  exchange: ExchangeOptions,
  leg: Omit<LegOptions, 'server'>,
  times: number,
): Promise<object> {
  const readyMs: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const server = await startExchange(exchange);
    let killed = false;
    const serving = runLeg({ ...leg, server, windowMs: underLoadMs * 10 }).catch((error: unknown) => {
      if (!killed) throw error;
    });
    await Promise.race([sleep(underLoadMs), serving]);
    killed = true;
    process.kill(server.pid, 'SIGKILL');
    await serving;
    await server.stop();
    const startedMs = performance.now();
    const again = await startExchange(exchange);
    readyMs.push(performance.now() - startedMs);
    await again.stop();
    console.error(`ready ${rounded(readyMs.at(-1) ?? Number.NaN, 0)} ms after its start`);
  }
  return {
    readyMs: readyMs.map((ms) => rounded(ms, 0)),
    medianMs: rounded(median(readyMs), 0),
    maxMs: rounded(Math.max(...readyMs), 0),
  };
}
