import type { MailboxId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../api/machines/request.ts';
import { createFaultScript, type FaultRule } from './scripted-faults.ts';

const subject = { operation: 'download-message', mailbox: 'X26ABC1' as MailboxId } as const;
const rule = (given: Partial<FaultRule> & Pick<FaultRule, 'kind'>): FaultRule => ({
  probability: 1,
  seed: 1,
  ...given,
});
const plain = (body: string | Uint8Array, status = 200): Reply => ({ kind: 'plain', status, headers: [], body });

const streamed = (pieces: AsyncIterable<Uint8Array>): Reply => ({ kind: 'stream', status: 200, headers: [], pieces });

async function bytesOf(reply: Reply | 'lost'): Promise<Buffer> {
  if (reply === 'lost') throw new Error('the answer was lost');
  if (reply.kind === 'plain') return Buffer.from(reply.body);
  const pieces: Uint8Array[] = [];
  if (reply.kind === 'stream') for await (const piece of reply.pieces) pieces.push(piece);
  else {
    for await (const block of reply.blocks) {
      pieces.push(Uint8Array.from(block.bytes));
      block.release();
    }
  }
  return Buffer.concat(pieces);
}

async function* twoPieces(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from('first'));
  yield Buffer.from('second');
}

async function* twoBlocks(released: string[]) {
  for await (const bytes of twoPieces())
    yield { bytes, release: () => void released.push(Buffer.from(bytes).toString()) };
}

describe('a script of faults', () => {
  it('does nothing while it is empty', async () => {
    const script = createFaultScript();
    const reply = plain('x');
    expect(await script.before(subject)).toBeUndefined();
    expect(script.after(subject, reply)).toBe(reply);
    expect(script.duplicates({ ...subject, operation: 'send-message' })).toBe(false);
  });

  it('lets the first rule that holds happen, and the next when that is used up', async () => {
    const script = createFaultScript();
    script.add([rule({ kind: 'status', status: 503, times: 1 }), rule({ kind: 'status', status: 500 })]);
    expect([await script.before(subject), await script.before(subject)]).toEqual([503, 500]);
  });

  it.each([
    ['at hand', plain('firstsecond')],
    ['of a stream', streamed(twoPieces())],
  ])('changes exactly one byte of an answer %s', async (_what, reply) => {
    const script = createFaultScript();
    script.add([rule({ kind: 'corrupt-chunk' })]);
    const changed = await bytesOf(script.after(subject, reply));
    const wanted = Buffer.from('firstsecond');
    expect(changed).toHaveLength(wanted.length);
    expect(changed.filter((byte, index) => byte !== wanted[index])).toHaveLength(1);
  });

  it('changes a copy of a block, and gives back each block once', async () => {
    const released: string[] = [];
    const script = createFaultScript();
    script.add([rule({ kind: 'corrupt-chunk' })]);
    const blocks: Reply = { kind: 'blocks', status: 200, headers: [], lengthBytes: 11, blocks: twoBlocks(released) };
    expect((await bytesOf(script.after(subject, blocks))).equals(Buffer.from('firstsecond'))).toBe(false);
    expect(released).toEqual(['first', 'second']);
  });

  it('is not spent on an answer without bytes, on a refusal, or on another operation', () => {
    const script = createFaultScript();
    script.add([rule({ kind: 'corrupt-chunk', times: 1 })]);
    script.after(subject, plain(''));
    script.after(subject, plain('{}', 410));
    script.after({ ...subject, operation: 'check-inbox' }, plain('{}'));
    expect(script.list()[0]?.happened).toBe(0);
  });

  it('spares administration, which must be able to end it', async () => {
    const script = createFaultScript();
    script.add([rule({ kind: 'status', status: 503 }), rule({ kind: 'lost-answer' })]);
    const admin = { operation: 'admin', mailbox: undefined } as const;
    expect(await script.before(admin)).toBeUndefined();
    expect(script.after(admin, plain('x'))).not.toBe('lost');
  });

  it('ends its delays when it is cleared', async () => {
    const script = createFaultScript();
    script.add([rule({ kind: 'delay', delayMs: 600_000 })]);
    const waiting = script.before(subject);
    script.clear();
    expect(await waiting).toBeUndefined();
    expect(script.list()).toEqual([]);
  });
});
