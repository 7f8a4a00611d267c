import { utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientFolder } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { type RawAnswer, rawJson, startRawService } from '../../kit/raw-service.ts';
import { startScriptedService } from '../../kit/scripted-service.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const mailbox = 'X26ABC1';
let home: TemporaryFolder;
beforeEach(async () => {
  home = await temporaryFolder('client-turns');
});
afterEach(() => home.remove());

const idOf = (number: number): string => `20261127000000${String(number).padStart(6, '0')}_ABCDEF`;

const notFound = rawJson('{}', 'HTTP/1.1 404 Not Found');
const page = 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>';

/** An inbox in pages of ten, of which only some messages can be had, and each only until it is acknowledged. */
function inboxOf(ids: readonly string[], had: ReadonlySet<string>, otherwise = notFound): RawAnswer {
  const waiting = new Set(ids);
  return ({ head }) => {
    const [method, path = ''] = head.split(' ');
    const [, id = ''] = /inbox\/([^/?]+)/.exec(path) ?? [];
    if (method === 'PUT') waiting.delete(id);
    if (method === 'PUT' || method === 'POST') return { bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n' };
    if (id === '') {
      const from = /continue_from=([^&]*)/.exec(path)?.[1] ?? '';
      const left = [...waiting].filter((one) => one > from);
      const last = left[9];
      const next = left.length > 10 ? `/messageexchange/${mailbox}/inbox?continue_from=${last}` : undefined;
      return { bytes: rawJson(JSON.stringify({ messages: left.slice(0, 10), links: { next } })) };
    }
    if (!had.has(id)) return { bytes: otherwise };
    const headers = ['mex-messagetype: DATA', `mex-messageid: ${id}`, 'mex-total-chunks: 1', 'mex-chunk-range: 1:1'];
    return { bytes: ['HTTP/1.1 200 OK', ...headers, 'content-length: 4', '', 'data'].join('\r\n') };
  };
}

describe('a turn takes a limited number of messages, and those that cannot be had or sent', () => {
  it.each(['1', '3', '100'])('keep none behind them from coming, whatever the limit (%s)', async (MaxMessages) => {
    const ids = Array.from({ length: 25 }, (_, index) => idOf(index));
    const had = new Set([3, 14, 15, 23, 24].map(idOf));
    await using service = await startRawService(inboxOf(ids, had));
    const folder = new ClientFolder(home.path, { url: service.url, mailboxes: [mailbox], settings: { MaxMessages } });
    const { mailboxes, lines } = await clientRound(folder);
    expect(mailboxes[mailbox]).toEqual({ sent: 0, failed: 0, received: had.size });
    expect(folder.list(mailbox, 'IN').filter((name) => name.endsWith('.dat'))).toEqual(
      [...had].map((id) => `${id}.dat`),
    );
    const notFetched = lines
      .filter(({ event }) => event === 'message-not-fetched')
      .map(({ fields }) => fields?.['messageId']);
    expect(new Set(notFetched)).toEqual(new Set(ids.filter((id) => !had.has(id))));
  });

  it.each([
    ['a failure', rawJson('{}', 'HTTP/1.1 500 Internal Server Error')],
    ['a refusal', rawJson('{}', 'HTTP/1.1 423 Locked')],
    ['a page of a proxy', page],
  ])('keep none from coming, and are never taken for one, where the service answers with %s', async (_what, answer) => {
    const ids = Array.from({ length: 25 }, (_, index) => idOf(index));
    const had = new Set([3, 9, 14, 23].map(idOf));
    await using service = await startRawService(inboxOf(ids, had, answer));
    const settings = { ServerRetry: '1' };
    const folder = new ClientFolder(home.path, { url: service.url, mailboxes: [mailbox], settings });
    const { mailboxes, lines } = await clientRound(folder);
    expect(mailboxes[mailbox]).toEqual({ sent: 0, failed: 0, received: had.size });
    expect(folder.list(mailbox, 'IN').filter((name) => name.endsWith('.dat'))).toEqual(
      [...had].map((id) => `${id}.dat`),
    );
    expect(lines.filter(({ event }) => event === 'message-not-fetched')).toHaveLength(ids.length - had.size);
  });

  it('are a fault of the service where none at all can be had', async () => {
    const ids = Array.from({ length: 25 }, (_, index) => idOf(index));
    const failing = rawJson('{}', 'HTTP/1.1 500 Internal Server Error');
    for (const some of [ids, ids.slice(0, 2)]) {
      await using service = await startRawService(inboxOf(some, new Set(), failing));
      const settings = { ServerRetry: '1' };
      const folder = new ClientFolder(home.path, { url: service.url, mailboxes: [mailbox], settings });
      expect((await clientRound(folder)).mailboxes[mailbox]).toMatch(/the service, or a gateway before it, failed/);
      const asked = service.requests.filter((line) => /GET .*inbox\/\d/.test(line));
      expect(asked).toHaveLength(Math.min(10, some.length));
    }
  });

  it('are told when their ids are none, and the others come', async () => {
    await using service = await startRawService(inboxOf(['../a', idOf(1), 'a-b', idOf(2)], new Set([1, 2].map(idOf))));
    const folder = new ClientFolder(home.path, { url: service.url, mailboxes: [mailbox] });
    const { mailboxes, lines } = await clientRound(folder);
    expect(mailboxes[mailbox]).toEqual({ sent: 0, failed: 0, received: 2 });
    expect(lines.find(({ event }) => event === 'message-not-fetched')).toMatchObject({ fields: { count: 2 } });
  });

  it('keep none behind them from going', async () => {
    await using service = await startScriptedService();
    const settings = { MaxMessages: '1', ControlGraceSeconds: '3600' };
    const folder = new ClientFolder(home.path, { url: service.url, mailboxes: [mailbox], settings });
    // No control file yet, and somebody may still be writing it.
    folder.drop(mailbox, 'BROKEN', 'bytes', {});
    for (const name of ['BROKEN.ctl', 'BROKEN.dat']) {
      const path = folder.path(mailbox, 'OUT', name);
      if (name.endsWith('.ctl')) writeFileSync(path, '<DTSControl><Version>');
      utimesSync(path, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    }
    for (const base of ['ONE', 'TWO']) folder.drop(mailbox, base, 'bytes', { To_DTS: mailbox, LocalId: base });
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes[mailbox]).toEqual({ sent: 2, failed: 0, received: 0 });
    expect(folder.list(mailbox, 'OUT')).toEqual(['BROKEN.ctl', 'BROKEN.dat']);
  });

  it('asks for no longer a page than the protocol has, whatever the limit of a turn', async () => {
    await using service = await startRawService(inboxOf([], new Set()));
    const settings = { MaxMessages: '10000' };
    const folder = new ClientFolder(home.path, { url: service.url, mailboxes: [mailbox], settings });
    expect((await clientRound(folder)).mailboxes[mailbox]).toEqual({ sent: 0, failed: 0, received: 0 });
    expect(service.requests.find((line) => line.includes('/inbox'))).toContain('max_results=5000');
  });
});
