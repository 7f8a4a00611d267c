import type { OdsCode, OrganisationRecord } from '@openmesh/exchange/store/ledger/directory.ts';
import type { StandIns } from '@openmesh/sandbox/stand-ins/start-stand-ins.ts';
import { StandInWorld } from './demographics-service.ts';
import { jsonOf, listedIdsOf, type MeshReply, sentIdOf } from './mesh-client.ts';
import { ExchangeInProcess } from './running-exchange.ts';
import { usualMailboxes } from './seeded-registry.ts';

/** A workflow that may be sent to a patient's practice, and one of two mailboxes at practice X26. */
export const gpWorkflow = 'GPCONNECT_SEND_DOCUMENT';
export const crowdedWorkflow = 'GPFED_CONSULT_REPORT';

const seeds = {
  mailboxes: [...usualMailboxes, { id: 'X27GP001', odsCode: 'X27', orgCode: 'X27' }],
  workflows: [
    { workflowId: gpWorkflow, gpRouting: true },
    { workflowId: crowdedWorkflow, gpRouting: true },
  ],
  registrations: [
    { mailbox: 'X26ABC2', workflowId: gpWorkflow, role: 'responder' },
    { mailbox: 'X27GP001', workflowId: gpWorkflow, role: 'responder' },
    { mailbox: 'X26ABC1', workflowId: crowdedWorkflow, role: 'responder' },
    { mailbox: 'X26ABC2', workflowId: crowdedWorkflow, role: 'responder' },
  ],
} as const;

/** An organisation of the directory: a practice, open since 2000, unless told otherwise. */
export function organisationOf(odsCode: string, changes: Partial<OrganisationRecord> = {}): OrganisationRecord {
  return {
    odsCode: odsCode as OdsCode,
    name: `SURGERY ${odsCode}`,
    active: true,
    recordClass: 'RC1',
    primaryRole: 'RO177',
    roles: [{ code: 'RO76', active: true, from: '2000-04-01', to: null }],
    legal: { from: null, to: null },
    operational: { from: '2000-04-01', to: null },
    address: { lines: [], town: '', county: '', postcode: '', country: '' },
    telephone: '',
    lastChange: null,
    ...changes,
  };
}

/** The real exchange with the stand-ins for the services it asks. */
export class GpExchange implements AsyncDisposable {
  readonly exchange: ExchangeInProcess;
  readonly world: StandInWorld;

  private constructor(exchange: ExchangeInProcess, world: StandInWorld) {
    this.exchange = exchange;
    this.world = world;
  }

  /** `prepare` sees the stand-ins before the exchange is started, which asks for organisations at once. */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    prepare: (standIns: StandIns) => void = () => undefined,
  ): Promise<GpExchange> {
    let exchange: ExchangeInProcess | undefined;
    const world = await StandInWorld.start(() => exchange?.clock.nowMs() ?? Date.now());
    try {
      prepare(world.standIns);
      const wanted = { ...world.standIns.settings, OPENMESH_DEMOGRAPHICS_REQUESTS_PER_SECOND: '1000', ...settings };
      exchange = await ExchangeInProcess.start({ tls: 'off', seeds, settings: wanted });
      return new GpExchange(exchange, world);
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Sends to the practice of a patient; the id. Throws when it is not accepted. */
  async send(address: string, workflowId: string = gpWorkflow, localId = 'LOCAL-1'): Promise<string> {
    return sentIdOf(await this.exchange.client('X26ABC1').send({ to: address, workflowId, localId }, 'a letter'));
  }

  /** Does what is due now. */
  async work(): Promise<void> {
    await this.exchange.rooms.clockwork.runAll();
  }

  async inbox(mailboxId: string): Promise<readonly string[]> {
    return listedIdsOf(await this.exchange.client(mailboxId).list());
  }

  /** The reports in the sender's inbox, as their headers tell. */
  async reports(): Promise<readonly MeshReply['headers'][]> {
    const sender = this.exchange.client('X26ABC1');
    const replies = await Promise.all((await this.inbox('X26ABC1')).map((id) => sender.download(id)));
    return replies.map(({ headers }) => headers).filter((headers) => headers['mex-messagetype'] === 'REPORT');
  }

  async tracking(messageId: string): Promise<Readonly<Record<string, unknown>>> {
    return jsonOf(await this.exchange.client('X26ABC1').track(messageId)) as Record<string, unknown>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.exchange.stop();
    await this.world[Symbol.asyncDispose]();
  }
}
