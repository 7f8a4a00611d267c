// Sends, or downloads, one message made on the way and thrown away on arrival. Prints figures of its own memory.
// node mover.ts {"options":…,"direction":…,"sizeBytes":…,"chunkBytes":…,"messageId":…}
import { readFileSync } from 'node:fs';
import { BlockPair, fromRanges, MeshClient, type MeshClientOptions } from '@openmesh/sdk';
import { residentMiB } from '../process-usage.ts';

interface Task {
  readonly options: Omit<MeshClientOptions, 'tls'>;
  readonly files: { readonly ca: string; readonly clientCert: string; readonly clientKey: string };
  readonly direction: 'up' | 'down';
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  readonly messageId: string;
}

const { options, files, direction, sizeBytes, chunkBytes, messageId } = JSON.parse(process.argv[2] ?? '') as Task;
const client = new MeshClient({
  ...options,
  tls: {
    authorities: [readFileSync(files.ca)],
    certificate: { kind: 'pem', certificate: readFileSync(files.clientCert), key: readFileSync(files.clientKey) },
  },
});
// What is loaded at first use is not growth.
await client.handshake();
await client.send({ to: 'WARMUP', workflowId: 'WARM-UP' }, new Uint8Array(1000));
const before = residentMiB(process.pid).peak;
const startedMs = performance.now();
const moved = direction === 'up' ? await send() : await download();
const seconds = (performance.now() - startedMs) / 1000;
if (moved !== sizeBytes) throw new Error(`moved ${moved} bytes, not ${sizeBytes}`);
const { peak } = residentMiB(process.pid);
client.close();
const figures = {
  megabytesPerSecond: Math.round(sizeBytes / 1_000_000 / seconds),
  residentBeforeMiB: Math.round(before),
  residentPeakMiB: Math.round(peak),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

async function send(): Promise<number> {
  const blockBytes = 1024 * 1024;
  const payload = fromRanges({
    sizeBytes,
    async *read({ start, end }) {
      const blocks = new BlockPair(Math.min(blockBytes, end - start));
      for (let at = start; at < end; ) {
        const block = blocks.next().subarray(0, Math.min(blockBytes, end - at));
        block.writeUIntBE(at % 2 ** 40, 0, 5);
        at += block.length;
        yield block;
      }
    },
  });
  const sent = await client.send({ to: 'SOMEBODY', workflowId: 'LARGE' }, payload, { chunkBytes });
  if (sent.kind !== 'sent') throw sent.cause;
  return sent.sizeBytes;
}

async function download(): Promise<number> {
  let bytes = 0;
  for await (const block of await client.download(messageId)) bytes += block.length;
  return bytes;
}
