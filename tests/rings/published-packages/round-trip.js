// Run by a Node of each version in a folder where the tarballs are installed: node round-trip.js TASK
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chunkBytesMax } from '@openmesh/protocol';
import { doctor, fromFile, fromStream, MeshClient, MeshError, sdkVersion } from '@openmesh/sdk';

const { options, authority, certificate, key } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const tls = { authorities: [authority], certificate: { kind: 'pem', certificate, key } };
const [sender, recipient] = ['X26ABC1', 'X26ABC2'].map((mailboxId) => new MeshClient({ ...options, mailboxId, tls }));
const message = { to: 'X26ABC2', workflowId: 'WF', subject: 'Ärztlicher Bericht', localId: `local-${process.version}` };
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

const content = randomBytes(300_000);
writeFileSync('content.dat', content);
await sender.send(message, fromFile('content.dat'), { chunkBytes: 50_000, gzip: true });
await sender.send(message, fromStream(pieces()));
const refused = await sender.send({ ...message, to: 'NOBODY9' }, Buffer.from('x')).catch((error) => error);

const received = [];
for await (const one of recipient.receive()) {
  const blocks = [];
  for await (const block of one.stream()) blocks.push(block);
  received.push({
    sha256: digest(Buffer.concat(blocks)),
    chunks: one.metadata.totalChunks,
    subject: one.metadata.subject,
  });
}
const diagnosis = await doctor({ ...options, mailboxId: 'X26ABC1', tls });
for (const client of [sender, recipient]) client.close();
rmSync('content.dat');

async function* pieces() {
  for (let at = 0; at < content.length; at += 7000) yield content.subarray(at, at + 7000);
}

process.stdout.write(
  JSON.stringify({
    node: process.versions.node,
    sdkVersion,
    chunkBytesMax,
    sent: digest(content),
    received,
    refused: refused instanceof MeshError ? refused.code : String(refused),
    isHealthy: diagnosis.isHealthy,
  }),
);
