import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { traceOf } from '@openmesh/exchange/traces/trace-id.ts';
import { expect, it } from 'vitest';
import { GpExchange } from '../../kit/gp-exchange.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { RunningSandbox } from '../../kit/running-sandbox.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { TraceCollector } from '../../kit/trace-collector.ts';
import { TracedExchange, tracedWorkflow as workflowId } from '../../kit/traced-exchange.ts';

guardLeaks();

const address = 'GPPROVIDER_9990000018_19800229_REGISTERED';

it("a message to a patient's practice is traced to the mailbox that was found, without a word of the patient", async () => {
  await using collector = await TraceCollector.start();
  await using gp = await GpExchange.start({ OPENMESH_TRACES_ENDPOINT: collector.url });
  const id = await gp.send(address);
  await gp.exchange.running.flush();
  expect(collector.spans.map(({ name }) => name)).toEqual(['send-message']);
  await gp.work();
  await gp.exchange.client('X26ABC2').download(id);
  await gp.exchange.running.flush();
  const spans = collector.trace(traceOf(id).traceId);
  expect(spans.map(({ name }) => name)).toEqual(['send-message', 'route', 'download-message']);
  expect(spans[1]?.attributes['messaging.destination.name']).toBe('X26ABC2');
  const words = ['GPPROVIDER', '9990000018', '19800229', '1980-02-29', 'REGISTERED', 'LOCAL-1', 'a letter'];
  expect(words.filter((word) => collector.everything.includes(word))).toEqual([]);
});

it('a message whose practice is not found is a failed span with a report', async () => {
  await using collector = await TraceCollector.start();
  await using gp = await GpExchange.start({ OPENMESH_TRACES_ENDPOINT: collector.url });
  const id = await gp.send('GPPROVIDER_9990000019_19800229_NOBODY');
  await gp.work();
  await gp.exchange.running.flush();
  const spans = collector.trace(traceOf(id).traceId);
  expect(spans.map(({ name, failed }) => [name, failed])).toEqual([
    ['send-message', false],
    ['route', true],
    ['report', false],
  ]);
  expect(collector.everything).not.toContain('NOBODY');
});

it("in the sandbox, five days of its clock bring the report into the message's trace", async () => {
  const folder = await temporaryFolder('traces');
  {
    await using collector = await TraceCollector.start();
    const env = { OPENMESH_TRACES_ENDPOINT: collector.url };
    await using sandbox = await RunningSandbox.start({ dataFolder: folder.path, env });
    const sender = sandbox.client('X26ABC1');
    const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    await sandbox.advance('P5D');
    const [reportId = ''] = listedIdsOf(await sender.list());
    await sandbox.exchange.flush();
    const names = (messageId: string) => collector.trace(traceOf(messageId).traceId).map(({ name }) => name);
    expect(names(id).toSorted()).toEqual(['expired', 'report', 'route', 'send-message']);
    expect(names(reportId)).toEqual(['report']);
  }
  await folder.remove();
});

it('bytes that are not what was accepted show as a failed span of the message', async () => {
  await using mesh = await TracedExchange.start();
  const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, Buffer.alloc(100_000, 'x')));
  const root = mesh.exchange.bodiesFolder;
  const bodies = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const [path, another] = bodies.map((each) => join(each.parentPath, each.name));
  if (path === undefined || another !== undefined) throw new Error('not exactly one body is on the disk');
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(50_000) ^ 1, 50_000);
  writeFileSync(path, bytes);
  expect((await mesh.recipient.download(id)).status).toBe(500);
  expect(await mesh.span(id, 'bytes-damaged')).toMatchObject({ failed: true });
});
