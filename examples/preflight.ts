import { connect } from './connect.ts';

await using client = connect('X26ABC1');
for (const to of ['X26ABC2', 'X26NOBODY']) {
  const { isAccepted, objections } = await client.preflight({ to, workflowId: 'TEST_WORKFLOW', sizeBytes: 5_000_000 });
  console.log(`to ${to}: ${isAccepted ? 'would be accepted' : objections.map(({ hint }) => hint).join(' ')}`);
}
