import { traceOf } from '@openmesh/exchange/traces/trace-id.ts';
import type { MeshClient } from './mesh-client.ts';
import { ruleOf } from './routing-cases.ts';
import { ExchangeInProcess } from './running-exchange.ts';
import { usualMailboxes } from './seeded-registry.ts';
import { type CollectedSpan, TraceCollector } from './trace-collector.ts';

/** The workflow of traced messages; the mailbox Y99ABC3 may be a target of rules about it. */
export const tracedWorkflow = 'WF1';

const seeds = {
  mailboxes: usualMailboxes,
  workflows: [{ workflowId: tracedWorkflow }],
  registrations: [{ mailbox: 'Y99ABC3', workflowId: tracedWorkflow, role: 'responder' }],
} as const;

/** The real exchange, and a collector that it sends its spans to. */
export class TracedExchange implements AsyncDisposable {
  readonly collector: TraceCollector;
  readonly exchange: ExchangeInProcess;
  sender: MeshClient;
  recipient: MeshClient;

  private constructor(collector: TraceCollector, exchange: ExchangeInProcess) {
    this.collector = collector;
    this.exchange = exchange;
    this.sender = exchange.client('X26ABC1');
    this.recipient = exchange.client('X26ABC2');
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<TracedExchange> {
    const collector = await TraceCollector.start();
    try {
      const wanted = { OPENMESH_TRACES_ENDPOINT: collector.url, ...settings };
      return new TracedExchange(collector, await ExchangeInProcess.start({ tls: 'off', seeds, settings: wanted }));
    } catch (error) {
      await collector[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Another process on the same ledger. */
  async restart(): Promise<void> {
    await this.exchange.restart();
    this.sender = this.exchange.client('X26ABC1');
    this.recipient = this.exchange.client('X26ABC2');
  }

  /** Moves the clock and does what has come due. */
  async passDays(days: number): Promise<void> {
    this.exchange.clock.advance(days * 86_400_000);
    await this.exchange.rooms.clockwork.runAll();
  }

  /** Copies or redirects to Y99ABC3 what is sent to X26ABC2. */
  async rule(id: string, action: 'copy' | 'redirect'): Promise<void> {
    const rule = { id, action, to: 'Y99ABC3', ifRecipient: 'X26ABC2' };
    await this.exchange.change({ rules: [ruleOf(rule, this.exchange.clock.nowMs())] });
  }

  /** What the collector has of a message, in the order in which it began. */
  async spansOf(messageId: string): Promise<readonly CollectedSpan[]> {
    await this.exchange.running.flush();
    return this.collector.trace(traceOf(messageId).traceId);
  }

  async namesOf(messageId: string): Promise<readonly string[]> {
    return (await this.spansOf(messageId)).map(({ name }) => name);
  }

  /** The only one of its name. */
  async span(messageId: string, name: string): Promise<CollectedSpan> {
    const [found, another] = (await this.spansOf(messageId)).filter((each) => each.name === name);
    if (found === undefined || another !== undefined) throw new Error(`not exactly one span ${name}`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.exchange.stop();
    await this.collector[Symbol.asyncDispose]();
  }
}
