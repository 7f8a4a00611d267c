import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectError, expectInvalid, versions } from '../../kit/wire-answers.ts';

const compact = /^\d{14}$/;
const dayMs = 86_400_000;
const described = {
  'Mex-Subject': 'subj',
  'Mex-LocalID': 'lid1',
  'Mex-FileName': 'f.txt',
  'Mex-PartnerID': 'p1',
  'Mex-Content-Checksum': 'abc',
  'Mex-Content-Compressed': 'Y',
  'Mex-Content-Encrypted': 'Y',
};

describe.each(bothRules)('tracking under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, tls: 'off' });
  });
  afterAll(() => exchange.stop());

  const live = rules === 'live';
  const instant = live ? /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/;
  const send = async (headers: Record<string, string> = {}, body: string | Buffer = 'hello'): Promise<string> =>
    sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, body, { headers }));
  const success = { status_event: 'TRANSFER', status_code: '00' };
  const successText = { status_description: 'Transferred to recipient mailbox' };

  it('answers version 2 with its members and no null; live: with status and offset, sandbox: as the Python one', async () => {
    const id = await send(described);
    const reply = await exchange.client('X26ABC1').track(id);
    expect(reply.headers['content-type']).toBe('application/vnd.mesh.v2+json');
    expect(jsonOf(reply)).toEqual({
      message_id: id,
      local_id: 'lid1',
      workflow_id: 'WF1',
      filename: 'f.txt',
      expiry_time: expect.stringMatching(instant),
      upload_timestamp: expect.stringMatching(instant),
      recipient: 'X26ABC2',
      recipient_name: 'TESTMB2',
      recipient_ods_code: 'X26',
      recipient_org_code: 'X26',
      recipient_org_name: '',
      status_success: true,
      status: 'accepted',
      ...(live ? { ...success, ...successText, status_timestamp: expect.stringMatching(instant) } : {}),
    });
  });

  it('answers version 1 with its members: compact times, title case, flags, and empty texts', async () => {
    const id = await send(described);
    const reply = await exchange.client('X26ABC1', { version: 1 }).track(id);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(jsonOf(reply)).toEqual({
      addressType: 'ALL',
      checksum: 'abc',
      chunkCount: 1,
      compressFlag: 'Y',
      contentEncoding: '',
      downloadTimestamp: '',
      dtsId: id,
      encryptedFlag: 'Y',
      expiryTime: expect.stringMatching(compact),
      fileName: 'f.txt',
      fileSize: 5,
      isCompressed: 'Y',
      localId: 'lid1',
      meshRecipientOdsCode: 'X26',
      messageId: id,
      messageType: live ? 'DATA' : 'Data',
      partnerId: 'p1',
      recipient: 'X26ABC2',
      recipientName: 'TESTMB2',
      recipientOrgCode: 'X26',
      recipientOrgName: '',
      recipientSmtp: '',
      sender: 'X26ABC1',
      senderName: 'TESTMB1',
      senderOdsCode: 'X26',
      senderOrgCode: 'X26',
      senderOrgName: 'North Hospital',
      senderSmtp: '',
      status: 'Accepted',
      statusSuccess: 'SUCCESS',
      subject: 'subj',
      uploadTimestamp: expect.stringMatching(compact),
      version: '1.0',
      workflowId: 'WF1',
    });
  });

  it('gives the size as received, packed, and the encoding', async () => {
    const packed = gzipSync('hello');
    const id = await send({ 'Content-Encoding': 'gzip' }, packed);
    const body = jsonOf(await exchange.client('X26ABC1', { version: 1 }).track(id));
    expect(body).toMatchObject({ fileSize: packed.length, contentEncoding: 'gzip' });
  });

  it('tells of the acknowledgement and its time', async () => {
    const id = await send();
    await exchange.client('X26ABC2').acknowledge(id);
    expect(jsonOf(await exchange.client('X26ABC1').track(id))).toMatchObject({ status: 'acknowledged' });
    expect(jsonOf(await exchange.client('X26ABC1', { version: 1 }).track(id))).toMatchObject({
      status: 'Acknowledged',
      downloadTimestamp: expect.stringMatching(compact),
    });
  });

  it('has neither expiry nor transfer while chunks are outstanding', async () => {
    const sender = exchange.client('X26ABC1');
    const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' }, 'x'));
    const body = jsonOf(await sender.track(id));
    expect(body).toMatchObject({ status: 'uploading', status_success: true });
    expect(body).not.toHaveProperty('expiry_time');
    expect(body).not.toHaveProperty('status_event');
    const v1 = jsonOf(await exchange.client('X26ABC1', { version: 1 }).track(id));
    expect(v1).toMatchObject({ status: 'Uploading', statusSuccess: 'SUCCESS', fileSize: 0, expiryTime: '' });
  });

  it('tells in both versions why a message was not delivered', async () => {
    const id = await send({ 'Mex-LocalID': 'expired' });
    exchange.clock.advance(5 * dayMs + 1000);
    await exchange.runDueWork();
    const text = 'Message not collected by recipient after 5 days';
    expect(jsonOf(await exchange.client('X26ABC1').track(id))).toMatchObject({
      status: 'undeliverable',
      status_success: false,
      status_event: 'SEND',
      status_code: '14',
      status_description: text,
      status_timestamp: expect.stringMatching(instant),
    });
    expect(jsonOf(await exchange.client('X26ABC1', { version: 1 }).track(id))).toMatchObject({
      status: 'Undeliverable',
      statusSuccess: 'ERROR',
      failureDate: expect.stringMatching(compact),
      failureDiagnostic: text,
      statusCode: '14',
      statusEvent: 'SEND',
      statusDescription: text,
      statusTimestamp: expect.stringMatching(compact),
    });
  });

  describe.each(versions)('in version %i', (version) => {
    it.each(['messageID', 'messageId', 'MESSAGEID', ''])('reads the id from a parameter named %o', async (name) => {
      const id = await send();
      const reply = await exchange.client('X26ABC1', { version }).request('GET', `/outbox/tracking?${name}=${id}`);
      expect(jsonOf(reply)).toMatchObject(version === 1 ? { messageId: id } : { message_id: id });
    });

    it('answers 400 without an id', async () => {
      for (const query of ['', '?', '?messageID=', '?other=1']) {
        const reply = await exchange.client('X26ABC1', { version }).request('GET', `/outbox/tracking${query}`);
        expectInvalid(reply, [{ type: 'missing', loc: ['query', 'messageID'] }]);
      }
    });

    it('answers 404 for an unknown id and to anybody but the sender, the recipient included', async () => {
      const id = await send();
      const notFound = { status: 404, text: 'Not Found' };
      expectError(await exchange.client('X26ABC1', { version }).track('nonsense!'), version, notFound);
      expectError(
        await exchange.client('X26ABC1', { version }).track('20200101000000000000_ABCDEF'),
        version,
        notFound,
      );
      for (const other of ['X26ABC2', 'Y99ABC3'])
        expectError(await exchange.client(other, { version }).track(id), version, notFound);
    });

    it('finds a message by its local id, in the form of version 1 whatever is asked for', async () => {
      const localId = `ref/${version} é%`;
      const id = await send({ 'Mex-LocalID': localId });
      const client = exchange.client('X26ABC1', { version });
      const reply = await client.request('GET', `/outbox/tracking/${encodeURIComponent(localId)}`);
      expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json']);
      expect(jsonOf(reply)).toMatchObject({ messageId: id, localId: expect.stringContaining('ref/') });
    });

    it('answers 404 for a local id of nobody, or of another sender’s message', async () => {
      await send({ 'Mex-LocalID': 'mine' });
      for (const [mailbox, localId] of [
        ['X26ABC1', 'nobodys'],
        ['X26ABC2', 'mine'],
      ] as const) {
        const reply = await exchange.client(mailbox, { version }).request('GET', `/outbox/tracking/${localId}`);
        expectError(reply, version, { status: 404, text: 'Not Found' });
      }
    });

    it('answers 300 when several messages have the local id', async () => {
      const localId = `twice-${version}`;
      await send({ 'Mex-LocalID': localId });
      await send({ 'Mex-LocalID': localId });
      const reply = await exchange.client('X26ABC1', { version }).request('GET', `/outbox/tracking/${localId}`);
      expect([reply.status, jsonOf(reply)]).toEqual([
        300,
        version === 1
          ? { errorEvent: '', errorCode: '', errorDescription: 'Multiple Choices' }
          : { detail: [{ event: '', code: '', msg: 'Multiple Choices' }] },
      ]);
    });
  });
});
