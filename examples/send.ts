import { Readable } from 'node:stream';
import { fromFile, fromStream } from '@openmesh/sdk';
import { connect } from './connect.ts';

await using client = connect('X26ABC1');
const message = {
  to: 'X26ABC2',
  workflowId: 'TEST_WORKFLOW',
  subject: 'Discharge summary',
  localId: crypto.randomUUID(),
};

// Bytes in memory, a file of any size, or a stream that can be read once.
for (const payload of [
  Buffer.from('Hello, MESH'),
  fromFile('README.md'),
  fromStream(Readable.from([Buffer.from('made '), Buffer.from('on the way')])),
]) {
  const outcome = await client.send({ ...message, localId: crypto.randomUUID() }, payload, { gzip: true });
  if (outcome.kind === 'sent') console.log(`sent ${outcome.messageId}, ${outcome.sizeBytes} bytes`);
  else console.log(`nobody knows: ${outcome.cause.message}`);
}
