import { connect } from './connect.ts';

await using client = connect('X26ABC2');
console.log(`${await client.count()} wait`);
const page = await client.list({ maxResults: 100, workflowFilter: 'TEST_WORKFLOW' });
console.log(
  `${page.messages.length} on the first page of about ${page.approximateCount}, more: ${page.next !== undefined}`,
);
for await (const messageId of client.inbox()) {
  const { from, workflowId, totalChunks } = await client.describe(messageId);
  console.log(`${messageId} ${from} ${workflowId} ${totalChunks}`);
}
