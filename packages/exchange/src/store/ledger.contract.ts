import { afterEach, beforeEach, describe } from 'vitest';
import { promiseAccepting } from './ledger/accept.contract.ts';
import { promiseAlerts } from './ledger/alerts.contract.ts';
import { promiseChunks } from './ledger/chunks.contract.ts';
import { promiseDirectory } from './ledger/directory.contract.ts';
import { promiseAudit, promiseRefusals } from './ledger/facts.contract.ts';
import { promiseCollecting, promiseFinding, promiseInbox } from './ledger/inbox.contract.ts';
import { promiseJobs, promiseReset } from './ledger/jobs.contract.ts';
import { promiseKeys } from './ledger/keys.contract.ts';
import { promiseLife } from './ledger/life.contract.ts';
import { promiseNonces } from './ledger/nonces.contract.ts';
import { promiseRegistry } from './ledger/registry.contract.ts';
import { promiseResolving } from './ledger/resolving.contract.ts';
import { promiseRouting } from './ledger/routing.contract.ts';
import { promiseAcknowledging, promiseChangingState } from './ledger/state.contract.ts';
import type { Ledger } from './ledger.ts';

/** A ledger made for one test. */
export interface LedgerUnderTest {
  readonly ledger: Ledger;
  /** Closes the ledger and opens it again, as the next process would. */
  reopen(): Promise<Ledger>;
  /** Closes the ledger, removes everything and checks that nothing is left open. */
  end(): Promise<void>;
}

/** The ledger of the test that is running; a group of promises asks for it in each of its tests. */
export interface LedgerSource {
  readonly ledger: Ledger;
  reopen(): Promise<Ledger>;
}

/** What every ledger promises. `open` makes an empty one of the live profile; the suite ends it. */
export function describeLedger(name: string, open: () => Promise<LedgerUnderTest>): void {
  describe(`ledger on ${name}`, () => {
    let running: LedgerUnderTest | undefined;
    const current = (): LedgerUnderTest => {
      if (running === undefined) throw new Error('no test is running');
      return running;
    };
    const source: LedgerSource = {
      get ledger() {
        return current().ledger;
      },
      reopen: () => current().reopen(),
    };
    beforeEach(async () => {
      running = await open();
    });
    afterEach(async () => {
      await running?.end();
      running = undefined;
    });

    describe('accept', () => promiseAccepting(source));
    describe('addChunk', () => promiseChunks(source));
    describe('acknowledge', () => promiseAcknowledging(source));
    describe('changeState', () => promiseChangingState(source));
    describe('inbox', () => promiseInbox(source));
    describe('collectChunk', () => promiseCollecting(source));
    describe('find', () => promiseFinding(source));
    describe('nonces', () => promiseNonces(source));
    describe('registry', () => promiseRegistry(source));
    describe('routing', () => promiseRouting(source));
    describe('jobs', () => promiseJobs(source));
    describe('reset', () => promiseReset(source));
    describe('the life of messages', () => promiseLife(source));
    describe('refusals', () => promiseRefusals(source));
    describe('audit', () => promiseAudit(source));
    describe('a message that is routed', () => promiseResolving(source));
    describe('directory', () => promiseDirectory(source));
    describe('keys', () => promiseKeys(source));
    describe('alerts', () => promiseAlerts(source));
  });
}
