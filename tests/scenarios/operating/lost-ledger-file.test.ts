import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

async function ready(exchange: ExchangeInProcess): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://127.0.0.1:${exchange.running.operatorsPort}/ready`);
  return { status: answer.status, text: await answer.text() };
}

/** Asks until the exchange has noticed; the test's own limit ends what never comes. */
async function askUntil(exchange: ExchangeInProcess, status: number): Promise<string> {
  for (;;) {
    const answer = await ready(exchange);
    if (answer.status === status) return answer.text;
  }
}

const message = { to: 'X26ABC2', workflowId: 'WF' };

it.each([
  ['removed', (file: string) => rmSync(file), false],
  ['replaced by a copy of itself', replaceByCopy, false],
  ['moved away, and back', (file: string) => renameSync(file, `${file}.away`), true],
])('an exchange whose ledger was %s promises nothing more and says why', async (_what, lose, comesBack) => {
  await using exchange = await ExchangeInProcess.start({ tls: 'off' });
  const client = exchange.client('X26ABC1');
  const before = sentIdOf(await client.send(message, 'before'));
  expect((await ready(exchange)).status).toBe(200);
  const file = exchange.ledgerFile;
  lose(file);
  expect(await askUntil(exchange, 503)).toMatch(/the file of the ledger was removed, or another lies in its place/);
  expect((await client.send(message, 'refused')).status).toBe(503);
  const lines = exchange.logLines.filter((line) => line.includes('"ledger-file-removed-or-replaced"'));
  expect(lines).toHaveLength(1);
  if (!comesBack) return;
  renameSync(`${file}.away`, file);
  await askUntil(exchange, 200);
  const after = sentIdOf(await client.send(message, 'after'));
  await exchange.restart();
  expect(listedIdsOf(await exchange.client('X26ABC2').list())).toEqual([before, after]);
});

function replaceByCopy(file: string): void {
  copyFileSync(file, `${file}.copy`);
  renameSync(`${file}.copy`, file);
}
