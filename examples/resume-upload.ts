import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromFile, parseUploadState } from '@openmesh/sdk';
import { connect } from './connect.ts';

await using client = connect('X26ABC1');
const folder = mkdtempSync(join(tmpdir(), 'resume-upload-'));
const [path, statePath] = [join(folder, 'scan.dat'), join(folder, 'scan.state')];
writeFileSync(path, Buffer.alloc(1_000_000, 'scan'));

// The program dies after three chunks ...
const crash = new Error('the power went out');
const sending = client.send({ to: 'X26ABC2', workflowId: 'TEST_WORKFLOW' }, fromFile(path), {
  chunkBytes: 100_000,
  onState: (state) => {
    writeFileSync(statePath, JSON.stringify(state));
    if (state.done.length === 3) throw crash;
  },
});
await sending.catch((error: unknown) => {
  if (error !== crash) throw error;
});

// ... and the next one goes on.
const state = parseUploadState(JSON.parse(readFileSync(statePath, 'utf8')));
const sent = await client.resumeSend(fromFile(path), state, {
  verify: 'digests',
  onProgress: ({ chunksDone, chunksTotal }) => console.log(`${chunksDone} of ${chunksTotal} chunks`),
});
console.log(`sent ${sent.messageId}`);
rmSync(folder, { recursive: true });
