import { createHash } from 'node:crypto';
import { connect } from './connect.ts';

await using client = connect('X26ABC2');
for await (const message of client.receive({ workflowFilter: 'TEST*' })) {
  const { type, from, subject, status, linkedMessageId } = message.metadata;
  if (type === 'REPORT') {
    console.log(`${linkedMessageId} failed: ${status.code} ${status.description}`);
    continue; // A report has no content: it is acknowledged now.
  }
  const hash = createHash('sha256');
  for await (const block of message) hash.update(block);
  console.log(`${message.messageId} from ${from}: ${subject ?? 'no subject'}, ${hash.digest('hex')}`);
  // Acknowledged here, when the block has ended well; not if it had thrown.
}
