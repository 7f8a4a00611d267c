import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gpWorkflow } from '../../kit/gp-exchange.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { usualMailboxes } from '../../kit/seeded-registry.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

guardLeaks();

const seeds = {
  mailboxes: usualMailboxes,
  workflows: [{ workflowId: gpWorkflow, gpRouting: true }],
  registrations: ['X26ABC2', 'Y99ABC3'].map((mailbox) => ({
    mailbox,
    workflowId: gpWorkflow,
    role: 'responder' as const,
  })),
};
const patient = (practice: string): string =>
  `${JSON.stringify({ nhsNumber: '9990000018', dateOfBirth: '1980-02-29', surnames: ['Register'], practice })}\n`;

it('a register in a file is read again when it is replaced, and goes on as it was when it cannot be read', async () => {
  const folder = await temporaryFolder('register');
  const file = join(folder.path, 'register.jsonl');
  const replace = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  replace(patient('X26'));
  {
    await using exchange = await ExchangeInProcess.start({
      tls: 'off',
      seeds,
      settings: { OPENMESH_DEMOGRAPHICS: `file:${file}` },
    });
    const deliver = async (): Promise<string> => {
      exchange.clock.advance(10_000);
      const to = 'GPPROVIDER_9990000018_19800229_REGISTER';
      const id = sentIdOf(await exchange.client('X26ABC1').send({ to, workflowId: gpWorkflow }, 'a letter'));
      await exchange.rooms.clockwork.runAll();
      for (const mailbox of ['X26ABC2', 'Y99ABC3']) {
        if (listedIdsOf(await exchange.client(mailbox).list()).includes(id)) return mailbox;
      }
      return 'nobody';
    };
    expect(await deliver()).toBe('X26ABC2');
    replace(patient('Y99'));
    expect(await deliver()).toBe('Y99ABC3');
    replace('{"nhsNumber":"9990000018","surnames":["Secret');
    expect([await deliver(), await deliver()]).toEqual(['Y99ABC3', 'Y99ABC3']);
    const told = exchange.logLines.filter((line) => line.includes('"register-'));
    expect(told.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'register-loaded',
      'register-unreadable',
    ]);
    expect(exchange.logLines.join('')).not.toContain('Secret');
    replace(patient('X26'));
    expect(await deliver()).toBe('X26ABC2');
  }
  await folder.remove();
});
