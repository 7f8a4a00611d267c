/** One line without its ending, counted from 1; `text` is undefined when it was too long or not UTF-8. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: undefined; readonly problem: string };

const LF = 0x0a;
const CR = 0x0d;

function* cut(block: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let at = block.indexOf(LF); at !== -1; at = block.indexOf(LF, start)) {
    yield block.subarray(start, at + 1);
    start = at + 1;
  }
  if (start < block.length) yield block.subarray(start);
}

/**
 * Cuts a stream of bytes into lines, holding no more than one block and one line of at most `lineBytesMax` bytes: what
 * goes beyond is passed over up to the next line feed. Takes LF and CRLF; a byte order mark before the first line is
 * dropped.
 */
export async function* splitLines(
  blocks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let number = 0;

  function finish(): Line {
    number += 1;
    const tooLong = heldBytes > lineBytesMax;
    const bytes = tooLong ? undefined : Buffer.concat(held);
    held = [];
    heldBytes = 0;
    if (bytes === undefined) return { number, text: undefined, problem: `longer than ${lineBytesMax} bytes` };
    const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    try {
      return { number, text: decoder.decode(bytes.subarray(0, end)) };
    } catch {
      return { number, text: undefined, problem: 'not UTF-8' };
    }
  }

  for await (const block of blocks) {
    for (const piece of cut(block)) {
      const ends = piece.at(-1) === LF;
      const content = ends ? piece.subarray(0, -1) : piece;
      heldBytes += content.length;
      // A copy, because a stream may use its block again.
      if (heldBytes <= lineBytesMax) held.push(ends ? content : content.slice());
      if (ends) yield finish();
    }
  }
  if (heldBytes > 0) yield finish();
}
