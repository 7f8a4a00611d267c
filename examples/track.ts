import { connect } from './connect.ts';

await using client = connect('X26ABC1');
const localId = `order-${crypto.randomUUID()}`;
const sent = await client.send({ to: 'X26ABC3', workflowId: 'TEST_WORKFLOW', localId }, Buffer.from('an order'));
if (sent.kind !== 'sent') throw sent.cause;
const { status, recipient, expiryTime } = await client.track(sent.messageId);
console.log(`${status} by ${recipient}, to be collected until ${expiryTime}`);
const found = await client.trackByLocalId(localId);
console.log(found.kind === 'one' ? found.tracking.messageId : found.kind);
