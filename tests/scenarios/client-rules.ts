import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { jsonOf, type MeshReply, type MeshRequestOptions } from '../kit/mesh-client.ts';
import type { ExchangeInProcess } from '../kit/running-exchange.ts';
import { expectError } from '../kit/wire-answers.ts';

export interface Rule {
  readonly number: number;
  readonly promise: string;
  readonly hold: (at: Table) => Promise<void>;
}

/** What every rule works with: an exchange, and shorthands for its commonest requests. */
export interface Table {
  readonly exchange: ExchangeInProcess;
  readonly send: (options?: MeshRequestOptions) => Promise<string>;
  readonly report: () => Promise<MeshReply>;
}

const namesOf = ({ rawHeaders }: MeshReply): string[] => rawHeaders.filter((_text, at) => at % 2 === 0);
const client = (at: Table, mailbox = 'X26ABC2', version: 1 | 2 = 2) => at.exchange.client(mailbox, { version });
const described = { 'mex-ClientVersion': 'c', 'mex-OSName': 'o', 'mex-OSVersion': 'v' };

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield* await Promise.resolve([Buffer.from('not '), Buffer.from('gzip')]);
}

/** What real clients break on when it is wrong; rules 10 and 12 need an exchange of their own. */
export const rules: readonly Rule[] = [
  {
    number: 1,
    promise: 'every response header name is in lower case on the wire',
    async hold(at) {
      const id = await at.send();
      const replies = [
        await client(at).download(id),
        await client(at).list(),
        await client(at).download('no-id'),
        await client(at).request('DELETE', '/inbox'),
      ];
      for (const name of replies.flatMap(namesOf)) expect(name).toBe(name.toLowerCase());
    },
  },
  {
    number: 2,
    promise: 'data has both mex-total-chunks and mex-chunk-range',
    async hold(at) {
      const { headers } = await client(at).download(await at.send());
      expect(headers).toMatchObject({ 'mex-total-chunks': '1', 'mex-chunk-range': '1:1' });
    },
  },
  {
    number: 3,
    promise: 'a report has no mex-chunk-range',
    async hold(at) {
      const { headers } = await at.report();
      expect(headers['mex-messagetype']).toBe('REPORT');
      expect(headers).not.toHaveProperty('mex-chunk-range');
    },
  },
  {
    number: 4,
    promise: 'no Accept, an empty one, */* and application/json mean version 1 with a JSON body',
    async hold(at) {
      for (const accept of [null, '', '*/*', 'application/json']) {
        const caller = at.exchange.client('X26ABC2', { accept });
        expect(jsonOf(await caller.handshake())).toEqual({ mailboxId: 'X26ABC2' });
        const id = await at.send();
        expect(jsonOf(await caller.acknowledge(id))).toEqual({ messageId: id });
      }
    },
  },
  {
    number: 5,
    promise: 'a version 2 listing has approx_inbox_count, above 0 whenever something waits',
    async hold(at) {
      await at.send();
      expect(jsonOf(await client(at).list())).toMatchObject({ approx_inbox_count: expect.any(Number) });
      const { approx_inbox_count: count } = jsonOf(await client(at).list()) as { approx_inbox_count: number };
      expect(count).toBeGreaterThan(0);
    },
  },
  {
    number: 6,
    promise: 'version 2 handshake and acknowledge answer 200 with content-length 0',
    async hold(at) {
      for (const reply of [await client(at).handshake(), await client(at).acknowledge(await at.send())]) {
        expect([reply.status, reply.headers['content-length'], reply.body.length]).toEqual([200, '0', 0]);
      }
    },
  },
  {
    number: 7,
    promise: 'a chunk is answered 202 with a JSON object in both versions',
    async hold(at) {
      const id = await at.send({ headers: { 'Mex-Chunk-Range': '1:3' } });
      for (const version of [1, 2] as const) {
        const reply = await client(at, 'X26ABC1', version).sendChunk(id, 2, 3, 'x');
        expect([reply.status, typeof jsonOf(reply), jsonOf(reply) === null]).toEqual([202, 'object', false]);
      }
    },
  },
  {
    number: 8,
    promise: 'every 4xx is a JSON object whose detail, if any, is an array of objects with msg',
    async hold(at) {
      const v2 = client(at);
      const replies = [
        await v2.list({}, { authorization: null }),
        await v2.list({ maxResults: 1 }),
        await v2.download('no-id'),
        await v2.request('GET', '/nothing'),
        await v2.request('DELETE', '/inbox'),
        await v2.send({ to: 'NOBODY9', workflowId: 'WF' }, 'x'),
        await at.exchange.client('X26ABC2', { accept: 'application/vnd.mesh.vX+json' }).list(),
        await client(at, 'X26ABC2', 1).download('no-id'),
      ];
      for (const reply of replies) {
        expect(reply.status).toBeGreaterThanOrEqual(400);
        const body = jsonOf(reply) as { readonly detail?: readonly { readonly msg: string }[] };
        expect(Object.keys(body).length).toBeGreaterThan(0);
        for (const { msg } of body.detail ?? [{ msg: 'version 1' }]) expect(msg).toEqual(expect.any(String));
      }
    },
  },
  {
    number: 9,
    promise: 'bodies come chunked, without length, with any content type or none, and are kept as received',
    async hold(at) {
      for (const type of [null, 'application/json', 'multipart/form-data; boundary=x', 'nonsense']) {
        const headers = { 'Content-Type': type, 'Content-Encoding': 'gzip' };
        const id = await at.send({ headers, body: pieces() });
        expect((await client(at).download(id)).body.toString()).toBe('not gzip');
      }
    },
  },
  {
    number: 11,
    promise: 'idle connections are kept at least 75 s, and the answer says so',
    async hold(at) {
      const { headers } = await client(at).list();
      expect(Number(/timeout=(\d+)/.exec(headers['keep-alive'] ?? '')?.[1])).toBeGreaterThanOrEqual(75);
      expect(at.exchange.rooms.config.machines.keepAliveMs).toBeGreaterThanOrEqual(75_000);
    },
  },
  {
    number: 13,
    promise: 'chunk 1 of a message without chunks is served with 200',
    async hold(at) {
      expect((await client(at).downloadChunk(await at.send(), 1)).status).toBe(200);
    },
  },
  {
    number: 14,
    promise: 'the handshake is taken as GET and as POST',
    async hold(at) {
      for (const method of ['GET', 'POST'])
        expect((await client(at).request(method, '', { headers: described })).status).toBe(200);
    },
  },
  {
    number: 15,
    promise: 'look-ups and pings need no Authorization',
    async hold(at) {
      for (const path of ['endpointlookup/X26/WF', 'workflowsearch/WF', '_ping']) {
        const reply = await client(at).requestAt('GET', `/messageexchange/${path}`, { authorization: null });
        expect(reply.status).toBe(200);
      }
    },
  },
  {
    number: 16,
    promise: 'only Mex-To and Mex-WorkflowID are required, and the others may be present and empty',
    async hold(at) {
      const names = [
        'From',
        'MessageType',
        'LocalID',
        'Subject',
        'FileName',
        'PartnerID',
        'Chunk-Range',
        'Content-Type',
      ];
      const more = ['Content-Checksum', 'Content-Compressed', 'Content-Encrypted', 'OSVersion'];
      const headers = Object.fromEntries([...names, ...more].map((name) => [`Mex-${name}`, '']));
      expect(await at.send({ headers })).toMatch(/^\d{20}_/);
    },
  },
  {
    number: 17,
    promise: 'a workflow nobody registered is accepted',
    async hold(at) {
      expect(await at.send({ headers: { 'Mex-WorkflowID': `random-${Date.now()}` } })).toMatch(/^\d{20}_/);
    },
  },
  {
    number: 18,
    promise: 'headers without a value or of no effect are not sent',
    async hold(at) {
      const headers = {
        'Mex-Subject': '',
        'Mex-LocalID': '',
        'Mex-Content-Encrypted': 'N',
        'Mex-Content-Compressed': 'N',
      };
      const reply = await client(at).download(await at.send({ headers }));
      for (const name of ['subject', 'localid', 'content-encrypted', 'content-compressed', 'partnerid', 'linkedmsgid'])
        expect(reply.headers).not.toHaveProperty(`mex-${name}`);
    },
  },
  {
    number: 19,
    promise: 'no member of an answer is null',
    async hold(at) {
      const id = await at.send();
      for (const version of [1, 2] as const) {
        const sender = client(at, 'X26ABC1', version);
        const replies = [await sender.track(id), await sender.list(), await sender.count()];
        for (const reply of replies) expect(reply.body.toString()).not.toContain('null');
      }
    },
  },
  {
    number: 20,
    promise: 'links.next is path-absolute',
    async hold(at) {
      for (let sent = 0; sent < 11; sent += 1) await at.send();
      const { links } = jsonOf(await client(at).list({ maxResults: 10 })) as { links: { next: string } };
      expect(links.next).toMatch(/^\/messageexchange\/X26ABC2\/inbox\?/);
    },
  },
  {
    number: 21,
    promise: 'gzip made by the server is one member, and content-encoding is spelled gzip',
    async hold(at) {
      const id = await at.send({ body: 'x'.repeat(200_000) });
      const reply = await client(at).download(id, { headers: { 'Accept-Encoding': 'gzip' } });
      expect(reply.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(reply.body).length).toBe(200_000);
      expect(reply.body.indexOf(Buffer.from([0x1f, 0x8b, 0x08]), 3)).toBe(-1);
    },
  },
  {
    number: 22,
    promise: 'the token’s mailbox is compared with the upper-cased path before the mailbox is looked up',
    async hold(at) {
      const reply = await at.exchange
        .client('NoSuchMailbox')
        .handshake({ authorization: 'NHSMESH nosuchmailbox:a:0:1:h' });
      expectError(reply, 2, { status: 403, text: 'Mailbox id does not match token' });
    },
  },
  {
    number: 23,
    promise: 'the sender’s Content-Type comes back in mex-content-type unchanged',
    async hold(at) {
      const id = await at.send({ headers: { 'Content-Type': 'text/plain' } });
      expect((await client(at).download(id)).headers['mex-content-type']).toBe('text/plain');
    },
  },
  {
    number: 24,
    promise: 'the default file name is the message id and .dat',
    async hold(at) {
      const id = await at.send();
      expect((await client(at).download(id)).headers['mex-filename']).toBe(`${id}.dat`);
    },
  },
  {
    number: 25,
    promise: 'header text is Latin-1 and passes through byte for byte',
    async hold(at) {
      const latin1 = Array.from({ length: 0x60 }, (_each, code) => String.fromCharCode(0xa0 + code)).join('');
      const id = await at.send({ headers: { 'Mex-Subject': `£é${latin1}` } });
      expect((await client(at).download(id)).headers['mex-subject']).toBe(`£é${latin1}`);
    },
  },
];
