import type { OutgoingMessage, SendOutcome } from '@openmesh/sdk';
import { connect } from './connect.ts';

await using client = connect('X26ABC1');
const message: OutgoingMessage = { to: 'X26ABC2', workflowId: 'TEST_WORKFLOW', localId: crypto.randomUUID() };
const payload = Buffer.from('to be delivered once');

let outcome: SendOutcome = await client.send(message, payload);
if (outcome.kind === 'unknown') {
  const found = await client.resolveSend(outcome);
  switch (found.kind) {
    case 'arrived':
      console.log(`it arrived as ${found.messageId} and is ${found.tracking.status}`);
      break;
    case 'uploading':
      outcome = await client.resumeSend(payload, found.state);
      break;
    case 'not-found':
      outcome = await client.send(message, payload);
      break;
    case 'undecided':
      throw new Error(`ask the recipient: ${found.reason}`);
  }
}
if (outcome.kind === 'sent') console.log(`sent ${outcome.messageId}, and once`);
