import { array, assert, asyncProperty, integer, jsonValue, object, oneof, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitObjects } from './split-objects.ts';

const bytesMax = 100_000;

/** The text in blocks of so many bytes, as a disk might give them. */
function* cut(text: string, blockBytes: number): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += blockBytes) yield bytes.subarray(at, at + blockBytes);
}

async function split(text: string, blockBytes = 7, max = bytesMax): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const { text: each } of splitObjects(cut(text, blockBytes), max)) {
    found.push(each === undefined ? 'too long' : JSON.parse(each));
  }
  return found;
}

const tricky = oneof(object({ withBigInt: false, maxDepth: 2 }), record({ name: string(), entry: array(jsonValue()) }));
const plain = object({ withBigInt: false, maxDepth: 2, key: string().filter((key) => !key.endsWith('entry')) });
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

describe('objects in a stream', () => {
  it('come out as they went in, one a line, whatever is in them and however the stream is cut', async () => {
    await assert(
      asyncProperty(array(plain, { maxLength: 5 }), integer({ min: 1, max: 40 }), async (objects, blockBytes) => {
        const text = objects.map((each) => `${JSON.stringify(each)}\n`).join('');
        expect(await split(text, blockBytes)).toEqual(objects.map(asJson));
      }),
    );
  });

  it('come out of a Bundle as its entries, whatever stands before and behind them', async () => {
    await assert(
      asyncProperty(
        array(tricky, { maxLength: 5 }),
        plain,
        integer({ min: 1, max: 40 }),
        async (entries, more, cutAt) => {
          for (const indent of [0, 2]) {
            const bundle = { resourceType: 'Bundle', link: [more], entry: entries, after: [more, { more }] };
            expect(await split(JSON.stringify(bundle, null, indent), cutAt)).toEqual(entries.map(asJson));
          }
        },
      ),
    );
  });

  it.each([
    ['no entries', '{"resourceType":"Bundle","entry":[]}', []],
    ['no member of entries', '{"resourceType":"Bundle"}', [{ resourceType: 'Bundle' }]],
    ['a member called entry that is no list', '{"entry":{"a":1}}', [{ entry: { a: 1 } }]],
    ['entries deeper down', '{"a":{"entry":[{"b":1}]}}', [{ a: { entry: [{ b: 1 }] } }]],
    ['the word entry as a value before a list', '{"a":"entry","b":[{"c":1}]}', [{ a: 'entry', b: [{ c: 1 }] }]],
    ['nothing', '', []],
    ['two Bundles', '{"entry":[{"a":1}]}\n{"entry":[{"a":2}]}', [{ a: 1 }, { a: 2 }]],
  ])('are right with %s', async (_says, text, objects) => {
    for (let blockBytes = 1; blockBytes < 12; blockBytes += 1) expect(await split(text, blockBytes)).toEqual(objects);
  });

  it('that are too long are passed over and named, and those behind them come out', async () => {
    const long = JSON.stringify({ a: 'x'.repeat(100) });
    expect(await split(`{"a":1}\n${long}\n{"a":2}`, 7, 50)).toEqual([{ a: 1 }, 'too long', { a: 2 }]);
    expect(await split(`{"entry":[{"a":1},${long},{"a":2}]}`, 7, 50)).toEqual([{ a: 1 }, 'too long', { a: 2 }]);
  });

  it('that are broken off are told of, as a text that is no JSON', async () => {
    await expect(split('{"a":1}\n{"a":')).rejects.toThrow(SyntaxError);
    await expect(split('{"entry":[{"a":1},{"a')).rejects.toThrow(SyntaxError);
  });
});
