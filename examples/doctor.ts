import { doctor } from '@openmesh/sdk';
import { optionsOf } from './connect.ts';

const { checks, isHealthy } = await doctor(optionsOf('X26ABC2'), { workflow: { workflowId: 'TEST_WORKFLOW' } });
for (const { name, status, finding, fix } of checks)
  console.log(`${status} ${name}: ${finding}${fix ? ` → ${fix}` : ''}`);
console.log(isHealthy ? 'nothing keeps this mailbox from working' : 'see above');
