import { connect } from './connect.ts';

await using client = connect('X26ABC1');
const { takesIdempotencyKeys, serverTimeMs } = await client.handshake();
console.log(`${client.mailboxId} at ${client.origin} is good`);
console.log(`a send whose answer is lost ${takesIdempotencyKeys ? 'can be repeated safely' : 'must be looked for'}`);
console.log(`the service says it is ${new Date(serverTimeMs ?? 0).toISOString()}`);
