// Sends a file, or downloads a message, and prints how far its memory grew: node move-large-file.ts TASK
import { readFileSync } from 'node:fs';
import { fromFile, MeshClient, type MeshClientOptions } from '@openmesh/sdk';

interface Task {
  readonly options: MeshClientOptions;
  readonly path: string;
  readonly to: string;
  readonly messageId?: string;
  readonly gzip?: boolean;
}

const { options, path, to, messageId, gzip } = JSON.parse(process.argv[2] ?? '') as Task;
const client = new MeshClient(options);
const peakMebibytes = (): number => {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return Number(kilobytes) / 1024;
};
// What is loaded at first use is not growth.
await client.handshake();
await client.send({ to, workflowId: 'WARM-UP' }, new Uint8Array(1000), { gzip });
const beforeMebibytes = peakMebibytes();
let id = messageId;
if (messageId === undefined) {
  const sent = await client.send({ to, workflowId: 'LARGE' }, fromFile(path), { gzip });
  if (sent.kind !== 'sent') throw sent.cause;
  id = sent.messageId;
} else {
  await client.downloadToFile(messageId, path, { transfer: gzip === true ? 'gzip' : 'as-stored' });
}
client.close();
process.stdout.write(JSON.stringify({ messageId: id, grewMebibytes: peakMebibytes() - beforeMebibytes }));
