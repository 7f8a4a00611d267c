import { MeshError } from '@openmesh/sdk';
import { connect } from './connect.ts';

await using client = connect('X26ABC1');
try {
  await client.send({ to: 'NOBODY', workflowId: 'TEST_WORKFLOW' }, Buffer.from('x'), {
    signal: AbortSignal.timeout(60_000),
  });
} catch (error) {
  if (!(error instanceof MeshError)) throw error;
  const { code, operation, status, wire, whoCanFix, hint } = error;
  console.log(`${operation} was refused: ${code}, ${status} ${wire?.code}`);
  console.log(`${whoCanFix} can fix it: ${hint}`);
  console.log(error.class === 'permanent' ? 'trying again changes nothing' : 'try again later');
}
