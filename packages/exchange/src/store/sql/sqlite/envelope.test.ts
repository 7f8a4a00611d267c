import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { acceptOf, addChunkOf, durableChunk, idOf, inlineChunk, newMessage, newPayload } from '../../ledger-probe.ts';
import type { BatchAnswer, BatchItem } from './batch.ts';
import { type Envelope, packAnswers, packItems, unpackAnswers, unpackItems } from './envelope.ts';

/** As it arrives on the other side. */
const sent = (envelope: Envelope): Envelope => structuredClone(envelope);

const text = fc.string({ unit: 'binary' });
const bytes = fc.uint8Array({ maxLength: 64 }).map((body) => Uint8Array.from(body));
const chunk = fc.oneof(
  bytes.map((body) => inlineChunk(body)),
  text.map((name) => durableChunk(name)),
);
const accepted = fc.record({ chunk, workflowId: text, sealed: text }).map(({ chunk: body, ...texts }) => {
  const messages = [newMessage(idOf(1), texts)];
  return { name: 'accept', args: [acceptOf(messages, { payload: newPayload('p', { chunk: body }) })] };
});
const item: fc.Arbitrary<BatchItem> = fc.oneof(
  accepted,
  fc.constant({ name: 'accept', args: [acceptOf([newMessage(idOf(1), { payloadId: null })])] }),
  chunk.map((body) => ({ name: 'addChunk', args: [addChunkOf(idOf(1), body)] })),
  fc.record({ messageId: text, n: fc.maxSafeInteger() }).map(({ messageId, n }) => {
    return { name: 'findWithChunk', args: [messageId, n] };
  }),
  fc.constant({ name: 'clockOffset', args: [] }),
  fc.constant({ name: 'reset', args: ['all'] }),
  fc.array(text).map((refs) => ({ name: 'referencedBodies', args: [refs] })),
);

const found = fc.record({ kind: fc.constant('found'), claimed: fc.boolean(), message: fc.record({ sealed: text }) });
const value = fc.oneof(
  fc.tuple(found, fc.option(chunk)).map(([rest, body]) => ({ ...rest, chunk: body })),
  fc.record({ kind: fc.constantFrom('accepted', 'stale'), version: fc.nat() }),
  fc.array(fc.record({ messageId: text, position: fc.nat() })),
  fc.constantFrom(null, 0, true, 'text'),
);
const answer: fc.Arbitrary<BatchAnswer> = fc.oneof(
  value.map((each) => ({ ok: true as const, value: each })),
  text.map((message) => ({ ok: false as const, kind: 'full' as const, message })),
);

it('brings every command over as it was, bodies and all', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 12 }), (items) => {
      expect(unpackItems(sent(packItems(items)))).toEqual(items);
    }),
  );
});

it('brings every answer back as it was, bodies and all', () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 12 }), (answers) => {
      expect(unpackAnswers(sent(packAnswers(answers)))).toEqual(answers);
    }),
  );
});

it('carries bodies beside the text and leaves the command it was given as it was', () => {
  const body = Uint8Array.of(1, 2, 3);
  const command = addChunkOf(idOf(1), inlineChunk(body));
  const { text: carried, bodies } = packItems([{ name: 'addChunk', args: [command] }]);
  expect(bodies).toEqual([body]);
  expect(carried).toContain('"inline":0');
  expect(command.chunk.inline).toBe(body);
});
