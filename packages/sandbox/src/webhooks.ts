import { isIP } from 'node:net';
import type { Log } from '@openmesh/exchange';
import { type HookArguments, type HookError, type HookEvent, hookEvents, type Listener } from './hooks.ts';
import { CannotStart } from './prepare-folders.ts';

const waitingMax = 1000;
const answerMsMax = 5000;

export interface Webhooks extends Listener {
  /** Gives up what waits. */
  close(): Promise<void>;
}

/**
 * Tells each address of every event by a POST of JSON, one after the other and without making anybody wait. Events carry
 * subjects and file names, so that addresses beyond this machine have to be permitted. Throws `CannotStart`.
 */
export function createWebhooks(addresses: readonly string[], options: { anywhere: boolean; log: Log }): Webhooks {
  const urls = addresses.map((address) => readAddress(address, options.anywhere));
  const stopping = new AbortController();
  const waiting: string[] = [];
  let sending: Promise<void> | undefined;

  const post = async (url: URL, body: string): Promise<void> => {
    try {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(answerMsMax)]);
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
      await answer.body?.cancel();
      if (!answer.ok) options.log.warn('webhook-refused', { status: answer.status });
    } catch (error) {
      if (!stopping.signal.aborted) options.log.error('webhook-failed', error);
    }
  };

  const sendAll = async (): Promise<void> => {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
      for (const url of urls) await post(url, body);
    }
    sending = undefined;
  };

  return {
    triggers: new Set(hookEvents),
    tell(event: HookEvent, args: HookArguments, error?: HookError) {
      if (waiting.length >= waitingMax) options.log.warn('webhook-dropped', { count: 1 });
      else waiting.push(JSON.stringify({ event, ...args, error }));
      sending ??= sendAll();
      return Promise.resolve(undefined);
    },
    async close() {
      waiting.length = 0;
      stopping.abort();
      await sending;
    },
  };
}

function readAddress(address: string, anywhere: boolean): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CannotStart('OPENMESH_SANDBOX_WEBHOOKS must hold http or https addresses, separated by blanks.');
  }
  if (anywhere || isLoopback(url.hostname.replaceAll(/[[\]]/g, ''))) return url;
  throw new CannotStart(
    `OPENMESH_SANDBOX_WEBHOOKS names ${url.hostname}, which is not this machine: ` +
      'set OPENMESH_SANDBOX_WEBHOOKS_ANYWHERE=yes if that is meant.',
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
