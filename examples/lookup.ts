import { connect } from './connect.ts';

await using client = connect('X26ABC1');
for (const { mailboxId, mailboxName } of await client.lookupEndpoint('X26', 'TEST_WORKFLOW')) {
  console.log(`X26 receives it at ${mailboxId} (${mailboxName})`);
}
for (const { mailboxId } of await client.searchWorkflow('TEST_WORKFLOW2'))
  console.log(`${mailboxId} receives the other`);
