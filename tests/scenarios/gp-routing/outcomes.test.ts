import type { OdsCode } from '@openmesh/exchange/store/ledger/directory.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crowdedWorkflow, GpExchange, gpWorkflow, organisationOf } from '../../kit/gp-exchange.ts';
import { expectError } from '../../kit/wire-answers.ts';

const address = (nhsNumber: string, surname: string, born = '19800229'): string =>
  `GPPROVIDER_${nhsNumber}_${born}_${surname}`;

const ods = (text: string): OdsCode => text as OdsCode;

/** All that may be told of a message: the words of its status, and its timeline. */
async function told(gp: GpExchange, to: string): Promise<unknown> {
  const messageId = await gp.send(to);
  await gp.work();
  const { status_description: words } = await gp.tracking(messageId);
  const events = await gp.exchange.timeline(messageId);
  return [words, events.map(({ kind, detail }) => [kind, detail])];
}

describe('a message to the practice of a patient', () => {
  let gp: GpExchange;
  beforeAll(async () => {
    gp = await GpExchange.start();
    const link = { from: null, to: null, active: true } as const;
    await gp.exchange.rooms.ledger.directory.put({
      atMs: 0,
      organisations: [
        organisationOf('X26'),
        organisationOf('X27'),
        organisationOf('X26001', { primaryRole: 'RO96', roles: [] }),
        organisationOf('Y12345', { active: false }),
        organisationOf('Y54321', { active: false }),
      ],
      links: [
        { ...link, odsCode: ods('X26001'), kind: 'relationship', type: 'RE6', target: ods('X26') },
        { ...link, odsCode: ods('Y12345'), kind: 'succession', type: 'successor', target: ods('X26') },
      ],
    });
  });
  afterAll(() => gp[Symbol.asyncDispose]());

  it.each([
    ['registered with it', address('9990000018', 'REGISTERED'), 'X26ABC2'],
    ['whose date of birth is written DDMMYYYY', address('9990000018', 'REGISTERED', '29021980'), 'X26ABC2'],
    ['whose surname is written otherwise', address('9990000018', "reg'ister-ed"), 'X26ABC2'],
    ['registered with another', address('9990000026', 'ELSEWHERE'), 'X27GP001'],
    ['whose number was replaced', address('9990000034', 'REGISTERED'), 'X26ABC2'],
    ['who died', address('9990000093', 'DECEASED'), 'X26ABC2'],
    ['who was named otherwise', address('9990000182', "O'MAIDEN"), 'X26ABC2'],
    ['of a practice that closed and was succeeded', address('9990000123', 'FOLLOWER'), 'X26ABC2'],
    ['of a branch surgery', address('9990000158', 'BRANCH'), 'X26ABC2'],
    ['published by the service, who died', address('9000000009', 'SMITH', '20101022'), 'X26ABC2'],
  ])('%s is in its inbox once the address is resolved', async (_says, to, mailbox) => {
    const messageId = await gp.send(to);
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'accepted' });
    await gp.work();
    expect(await gp.inbox(mailbox)).toContain(messageId);
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'accepted', recipient: mailbox });
    const got = await gp.exchange.client(mailbox).download(messageId);
    expect(got.headers['mex-to']).toBe(mailbox);
    expect(got.body.toString()).toBe('a letter');
    expect((await gp.exchange.client(mailbox).acknowledge(messageId)).status).toBe(200);
  });

  it.each([
    ['the number has a wrong check digit', address('9990000019', 'ANY'), gpWorkflow, 'EPL-152'],
    ['the number has nine digits', address('999000001', 'ANY'), gpWorkflow, 'EPL-152'],
    ['the number is a placeholder', address('0000000000', 'ANY'), gpWorkflow, 'EPL-152'],
    ['the service takes the number for none', address('9990000069', 'ANY'), gpWorkflow, 'EPL-152'],
    ['the number is not known', address('9990000050', 'ANY'), gpWorkflow, 'EPL-153'],
    ['the number was found to be nobody’s', address('9990000042', 'ANY'), gpWorkflow, 'EPL-153'],
    ['the surname is another', address('9990000018', 'ANOTHER'), gpWorkflow, 'EPL-154'],
    ['the date of birth is another', address('9990000018', 'REGISTERED', '19800228'), gpWorkflow, 'EPL-154'],
    ['the date of birth is no day', address('9990000018', 'REGISTERED', '19809999'), gpWorkflow, 'EPL-154'],
    ['the record has no full date of birth', address('9990000174', 'PARTIAL', '19800101'), gpWorkflow, 'EPL-154'],
    ['more than one record has the number', address('9990000077', 'ANY'), gpWorkflow, 'EPL-154'],
    ['the record is restricted', address('9990000085', 'RESTRICTED'), gpWorkflow, 'EPL-151'],
    ['nobody has registered them', address('9990000107', 'UNREGISTERED'), gpWorkflow, 'EPL-151'],
    ['the registration has ended', address('9990000115', 'LEAVER'), gpWorkflow, 'EPL-151'],
    ['the practice closed and nobody succeeded it', address('9990000131', 'STRANDED'), gpWorkflow, 'EPL-151'],
    ['the practice is elsewhere', address('9990000166', 'WELSH'), gpWorkflow, 'EPL-151'],
    ['the practice has no mailbox for it', address('9990000026', 'ELSEWHERE'), crowdedWorkflow, 'EPL-151'],
    ['the practice has two mailboxes for it', address('9990000018', 'REGISTERED'), crowdedWorkflow, 'EPL-150'],
  ])('is accepted and reported to its sender when %s', async (_says, to, workflowId, code) => {
    const messageId = await gp.send(to, workflowId);
    await gp.work();
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'error', status_code: code, recipient: '' });
    const report = (await gp.reports()).find((headers) => headers['mex-linkedmsgid'] === messageId);
    expect(report).toMatchObject({
      'mex-statuscode': code,
      'mex-statusevent': 'SEND',
      'mex-statussuccess': 'ERROR',
      'mex-localid': 'LOCAL-1',
      'mex-workflowid': workflowId,
    });
  });

  it('tells a restricted record from one without a practice nowhere', async () => {
    const restricted = await told(gp, address('9990000085', 'RESTRICTED'));
    expect(restricted).toEqual(await told(gp, address('9990000107', 'UNREGISTERED')));
  });

  it.each([
    ['whose address lacks a part', 'GPPROVIDER_9990000018_19800229', gpWorkflow],
    ['whose date is not eight digits', 'GPPROVIDER_9990000018_1980-02-29_REGISTERED', gpWorkflow],
    ['of a workflow that does not allow it', address('9990000018', 'REGISTERED'), 'PATH_MEDRPT_V3'],
  ])('%s is refused at once, with 417 and 12', async (_says, to, workflowId) => {
    const reply = await gp.exchange.client('X26ABC1').send({ to, workflowId }, 'a letter');
    expectError(reply, 2, { status: 417, event: 'SEND', code: '12', text: 'Unregistered to address' });
  });

  it('sent in chunks is routed when the last of them is there', async () => {
    const sender = gp.exchange.client('X26ABC1');
    const to = address('9990000018', 'REGISTERED');
    const first = await sender.send({ to, workflowId: gpWorkflow, chunkRange: '1:2' }, 'a ');
    const { message_id: messageId } = JSON.parse(first.body.toString()) as { message_id: string };
    await gp.work();
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'uploading' });
    expect((await sender.sendChunk(messageId, 2, 2, 'letter')).status).toBe(202);
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'accepted' });
    await gp.work();
    expect(await gp.inbox('X26ABC2')).toContain(messageId);
  });

  it('notes on the timeline how it was routed, and on the audit both numbers of a replaced one, as digests', async () => {
    const messageId = await gp.send(address('9990000034', 'REGISTERED', '29021980'));
    await gp.work();
    const events = (await gp.exchange.timeline(messageId)).map(({ kind }) => kind);
    expect(events).toEqual(['accepted', 'address-warning', 'number-superseded', 'routed']);
    const [entry] = await gp.exchange.rooms.ledger.audit.read({ fromEntryNo: 1e9, limit: 1, newestFirst: true });
    expect(entry).toMatchObject({ action: 'gp-routing.superseded', subject: messageId });
    const { presented, replacedBy } = JSON.parse(entry?.detail ?? '{}') as Record<string, string>;
    const digest = (number: string): string | undefined => gp.exchange.rooms.sealer.lookupKeys(number, 'nhs-number')[0];
    expect([presented, replacedBy]).toEqual([digest('9990000034'), digest('9990000018')]);
  });
});
