import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { jsonOf } from '../kit/mesh-client.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const inline = Buffer.from('small enough for the row');
const aFile = Buffer.alloc(300_000, 'large enough for a file ');

/** The two commands of docs/operate/README.md, by the same engine: the ledger first, the bodies after it. */
function backUp(running: ExchangeFolder, copy: string): void {
  mkdirSync(copy);
  const ledger = new DatabaseSync(join(running.data, 'ledger.sqlite'), { readOnly: true });
  ledger.prepare('vacuum into ?').run(join(copy, 'ledger.sqlite'));
  ledger.close();
  cpSync(join(running.data, 'bodies'), join(copy, 'bodies'), { recursive: true });
}

describe('a backup', () => {
  it('made of a running exchange starts another, which holds every message accepted before it', async () => {
    await using home = await temporaryFolder('backup');
    const folder = new ExchangeFolder(home.path);
    mkdirSync(folder.data);
    folder.addMailboxes(['SENDER', 'READER']);
    const first = await ExchangeProcess.start({ env: folder.env });
    const sender = folder.client(first.url, 'SENDER');
    const sent: string[] = [];
    for (const body of [inline, aFile]) {
      const reply = await sender.send({ to: 'READER', workflowId: 'W' }, body);
      sent.push((jsonOf(reply) as { message_id: string }).message_id);
    }
    const copy = join(home.path, 'copy');
    backUp(folder, copy);
    await sender.send({ to: 'READER', workflowId: 'W' }, Buffer.from('after the backup'));
    sender.close();
    await first.stop();

    const restored = new ExchangeFolder(home.path, copy);
    const second = await ExchangeProcess.start({ env: restored.env });
    const reader = restored.client(second.url, 'READER');
    const bodies = [];
    for (const messageId of sent) bodies.push((await reader.download(messageId)).body);
    const listed = (jsonOf(await reader.list()) as { messages: readonly string[] }).messages;
    reader.close();
    await second.stop();
    expect(listed).toEqual(sent);
    expect(bodies).toEqual([inline, aFile]);
  });
});
