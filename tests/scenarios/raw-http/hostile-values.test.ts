import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, type MeshClient, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

guardLeaks();

/** What has ended other people's statements, paths, templates and formats. */
const hostile = [
  "'; drop table message; --",
  "' or '1'='1",
  '" or ""="',
  "x' union select sealed from credential --",
  "1; attach database '/tmp/x' as y",
  "\\'; select pg_sleep(10); --",
  '$1 $2 ?1 :name @name',
  '%27%20or%201=1',
  '${process.exit(1)} {{7*7}} #{7*7}',
  '../../../etc/passwd',
  '%s%s%s%n',
  '| id; `id` $(id)',
  'x'.repeat(90),
];

let exchange: ExchangeInProcess;
let alice: MeshClient;
let bob: MeshClient;
let before: string;

const stateOf = async (): Promise<string> => {
  const { version: _version, ...records } = await exchange.rooms.ledger.registry.load();
  return JSON.stringify(records);
};

beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  before = await stateOf();
});
beforeEach(() => {
  alice = exchange.client('X26ABC1');
  bob = exchange.client('X26ABC2');
});
afterEach(() => {
  alice.close();
  bob.close();
});
afterAll(() => exchange.stop());

const header = (name: string) => (value: string) =>
  alice.send({ to: 'X26ABC2', workflowId: 'WF' }, 'x', { headers: { [name]: value } });
const query = (path: string, name: string) => (value: string) =>
  alice.request('GET', `${path}?${name}=${encodeURIComponent(value)}`);
const segment = (make: (value: string) => string) => (value: string) =>
  alice.requestAt('GET', make(encodeURIComponent(value)));

/** Every place of a request whose words reach a question of the ledger. */
const inputs: readonly (readonly [string, (value: string) => Promise<MeshReply>])[] = [
  ...['Mex-To', 'Mex-WorkflowID', 'Mex-LocalID', 'Mex-Subject', 'Mex-FileName', 'Mex-PartnerID', 'Idempotency-Key'].map(
    (name) => [name, header(name)] as const,
  ),
  ['workflow_filter', query('/inbox', 'workflow_filter')],
  ['continue_from', query('/inbox', 'continue_from')],
  ['max_results', query('/inbox', 'max_results')],
  ['the id of a message', segment((value) => `/messageexchange/X26ABC1/inbox/${value}`)],
  ['a mailbox', segment((value) => `/messageexchange/${value}/inbox`)],
  ['messageID of tracking', query('/outbox/tracking', 'messageID')],
  ['localID of tracking', segment((value) => `/messageexchange/X26ABC1/outbox/tracking/${value}`)],
  ['the organisation of a look-up', segment((value) => `/messageexchange/endpointlookup/${value}/WF`)],
  ['the workflow of a look-up', segment((value) => `/messageexchange/endpointlookup/X26/${value}`)],
  ['the workflow of a search', segment((value) => `/messageexchange/workflowsearch/${value}`)],
  ['the search of the public page', (value) => alice.requestAt('GET', `/workflows?q=${encodeURIComponent(value)}`)],
  [
    'the token',
    (value) =>
      alice.request('GET', '/inbox', { authorization: `NHSMESH X26ABC1:${value}:0:202611261200:${'a'.repeat(64)}` }),
  ],
];

describe('no words of a caller are ever part of a statement', () => {
  it.each(inputs)('in %s', async (_place, ask) => {
    for (const value of hostile) {
      const { status } = await ask(value);
      expect(status, value).toBeLessThan(500);
      expect(status, value).toBeGreaterThan(199);
    }
    expect(await stateOf()).toBe(before);
  });

  it('so that what was sent with them comes back as it was, and is found by them', async () => {
    for (const [n, value] of hostile.entries()) {
      const localId = `${value.replaceAll(/[^ -~]/g, '')}#${n}`.slice(0, 99);
      const id = sentIdOf(await alice.send({ to: 'X26ABC2', workflowId: 'WF', localId }, 'x'));
      expect((await bob.head(id)).headers['mex-localid'], value).toBe(localId);
      expect((jsonOf(await alice.track(id)) as { local_id: string }).local_id, value).toBe(localId);
      await bob.acknowledge(id);
    }
    const last = sentIdOf(await alice.send({ to: 'X26ABC2', workflowId: 'WF' }, 'x'));
    expect(listedIdsOf(await bob.list())).toContain(last);
  });
});
