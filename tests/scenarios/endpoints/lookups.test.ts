import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organisationOf } from '../../kit/gp-exchange.ts';
import { jsonOf, type MeshReply } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { usualMailboxes } from '../../kit/seeded-registry.ts';
import { bothRules, expectError, versions } from '../../kit/wire-answers.ts';

const responder = (mailbox: string, workflowId: string): object => ({ mailbox, workflowId, role: 'responder' });
const seeds = {
  mailboxes: [...usualMailboxes, { id: 'X26ABC5', name: 'TESTMB5', odsCode: 'x26' }],
  registrations: [
    responder('X26ABC2', 'TOC FHIR'),
    responder('X26ABC5', 'TOC FHIR'),
    responder('Y99ABC3', 'TOC FHIR'),
    responder('X26OFF4', 'TOC FHIR'),
    { ...responder('X26ABC1', 'TOC FHIR'), role: 'initiator' },
    { ...responder('X26ABC1', 'ENDED'), validToMs: 1 },
    { ...responder('X26ABC1', 'LATER'), validFromMs: 4_102_444_800_000 },
  ] as NonNullable<Parameters<ExchangeInProcess['change']>[0]['registrations']>,
};

const found = (reply: MeshReply): unknown => {
  const body = jsonOf(reply) as { results: readonly { address?: string; mailbox_id?: string }[] };
  return [reply.status, body.results.map((each) => each.address ?? each.mailbox_id)];
};

describe.each(bothRules)('lookups under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, seeds });
  });
  afterAll(() => exchange.stop());

  const get = (path: string, version: 1 | 2): Promise<MeshReply> =>
    exchange.client('X26ABC1', { version }).requestAt('GET', `/messageexchange/${path}`, { authorization: null });

  it('answers an endpoint lookup in version 1 with a query id and addresses, without a token', async () => {
    const reply = await get('endpointlookup/X26/TOC%20FHIR', 1);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(jsonOf(reply)).toEqual({
      query_id: expect.stringMatching(/^\d{17}_[0-9a-f]{8}$/),
      results: [
        { address: 'X26ABC2', description: 'TESTMB2', endpoint_type: 'MESH' },
        { address: 'X26ABC5', description: 'TESTMB5', endpoint_type: 'MESH' },
      ],
    });
  });

  it('answers an endpoint lookup in version 2 with mailboxes', async () => {
    const reply = await get('endpointlookup/X26/TOC%20FHIR', 2);
    expect(reply.headers['content-type']).toBe('application/vnd.mesh.v2+json');
    expect(jsonOf(reply)).toEqual({
      results: [
        { mailbox_id: 'X26ABC2', mailbox_name: 'TESTMB2' },
        { mailbox_id: 'X26ABC5', mailbox_name: 'TESTMB5' },
      ],
    });
  });

  it.each(versions)('searches all receivers of a workflow in one shape, asked for in version %i', async (version) => {
    const reply = await get('workflowsearch/TOC%20FHIR', version);
    expect(jsonOf(reply)).toEqual({
      results: [
        { mailbox_id: 'X26ABC2', mailbox_name: 'TESTMB2' },
        { mailbox_id: 'X26ABC5', mailbox_name: 'TESTMB5' },
        { mailbox_id: 'Y99ABC3', mailbox_name: 'TESTMB3' },
      ],
    });
  });

  it.each(versions)(
    'tells in version %i of each mailbox what the directory knows, to callers who ask',
    async (version) => {
      const organisation = organisationOf('X26', { name: 'NORTH HOSPITAL', active: false });
      const succession = { odsCode: organisation.odsCode, kind: 'succession', type: 'successor' } as const;
      const target = organisationOf('Y99').odsCode;
      await exchange.rooms.ledger.directory.put({
        atMs: 0,
        organisations: [organisation],
        links: [{ ...succession, target, active: true, from: null, to: null }],
      });
      const body = jsonOf(await get('endpointlookup/X26/TOC%20FHIR?details=true', version)) as { results: object[] };
      expect(body.results[0]).toMatchObject({
        ods_code: 'X26',
        active: true,
        receives_chunked: true,
        organisation_name: 'NORTH HOSPITAL',
        organisation_active: false,
        successors: ['Y99'],
      });
      const all = jsonOf(await get('workflowsearch/TOC%20FHIR?details=true', version)) as { results: object[] };
      expect(all.results.at(-1)).toEqual({
        mailbox_id: 'Y99ABC3',
        mailbox_name: 'TESTMB3',
        ods_code: 'Y99',
        active: true,
        receives_chunked: true,
        successors: [],
      });
    },
  );

  describe.each(versions)('in version %i', (version) => {
    it('takes the organisation in any case, and the workflow exactly but for blanks around it', async () => {
      expect(found(await get('endpointlookup/y99/TOC%20FHIR', version))).toEqual([200, ['Y99ABC3']]);
      expect(found(await get('endpointlookup/Y99/%20TOC%20FHIR%20', version))).toEqual([200, ['Y99ABC3']]);
      expect(found(await get('endpointlookup/Y99/toc%20fhir', version))).toEqual([200, []]);
    });

    it('answers 200 with nothing for what nobody receives, receives no more, or does not receive yet', async () => {
      for (const path of ['endpointlookup/X26/NOPE', 'endpointlookup/A01/TOC%20FHIR', 'workflowsearch/NOPE'])
        expect(found(await get(path, version))).toEqual([200, []]);
      for (const workflow of ['ENDED', 'LATER'])
        expect(found(await get(`workflowsearch/${workflow}`, version))).toEqual([200, []]);
    });

    it('answers 400 for a blank segment and names it', async () => {
      const odsText = { status: 400, text: 'ods code missing' };
      const workflowText = { status: 400, text: 'workflow id missing' };
      expectError(await get('endpointlookup/%20/TOC', version), version, odsText);
      expectError(await get('endpointlookup//TOC', version), version, odsText);
      expectError(await get('endpointlookup/X26/%20', version), version, workflowText);
      expectError(await get('endpointlookup/X26', version), version, workflowText);
      expectError(await get('workflowsearch/%20', version), version, workflowText);
    });
  });

  it.each([
    '/health',
    '/_status',
    '/_ping',
    '/healthcheck',
    '/messageexchange/_ping',
    '/messageexchange/deepping',
    '/messageexchange/_ping/',
  ])('answers %s with the health object, token or not', async (path) => {
    for (const authorization of [null, 'garbage']) {
      const reply = await exchange.client('X26ABC1').requestAt('GET', path, { authorization });
      expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json']);
      expect(jsonOf(reply)).toEqual({ env: 'local', build_label: 'test', status: 'running', outcome: 'Yes' });
    }
  });

  it('answers a client’s question for updates with an empty 200', async () => {
    const reply = await exchange.client('X26ABC1').request('POST', '/update', { body: 'anything' });
    expect([reply.status, reply.body.length]).toEqual([200, 0]);
    expect((await exchange.client('X26ABC1').request('POST', '/update', { authorization: null })).status).toBe(403);
  });
});
