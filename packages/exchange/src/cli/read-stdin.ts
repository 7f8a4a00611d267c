/** What is on standard input, or a little more than `bytesMax` of it; its line ending is left out. */
export async function readStdin(stdin: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  const blocks: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of stdin) {
    blocks.push(block);
    bytes += block.length;
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(blocks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
