import { tokenWindowMs } from '@openmesh/protocol';
import { MeshError } from '../errors/mesh-error.ts';
import { handshake } from '../handshake.ts';
import { lookupEndpoint, searchWorkflow } from '../lookup.ts';
import { countInbox } from '../receive/list-inbox.ts';
import type { Session } from '../session.ts';
import { type Check, type CheckName, failed, ok, skipped, warning } from './check.ts';
import { skipAll } from './probe-network.ts';

/** Clocks that differ by more than this have something wrong with them, though tokens still work. */
const skewWarnedMs = 5 * 60_000;

export interface WorkflowToCheck {
  readonly workflowId: string;
  /** The mailbox that is to be registered for it; this one when absent. */
  readonly mailboxId?: string | undefined;
  /** Of an organisation that should have a mailbox for it. */
  readonly odsCode?: string | undefined;
}

/** Everything the service itself must say: who it is, what time it is, whether it knows this mailbox. */
export async function checkService(
  session: Session,
  workflow: WorkflowToCheck | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Check[]> {
  try {
    const { takesIdempotencyKeys, serverTimeMs } = await handshake(session, session.userAgent, { signal });
    const kind = takesIdempotencyKeys ? 'an OpenMESH' : 'a MESH service';
    return [
      ok('service', `${session.origin} is ${kind}`),
      checkClock(serverTimeMs, session.surroundings.nowMs()),
      ok('mailbox', `${session.mailbox} is active; password, shared key and certificate are good`),
      await asking('inbox', async () => ok('inbox', `${await countInbox(session, { signal })} messages wait`)),
      await checkWorkflow(session, workflow, signal),
    ];
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    return explain(session, error);
  }
}

/** What a failed handshake says about everything behind it. */
function explain(session: Session, error: MeshError): readonly Check[] {
  const behind = 'the handshake failed';
  const finding = `${error.message}; code ${error.code}`;
  const rest = skipAll(['inbox', 'workflow'], behind);
  if (error.status !== 403) {
    return [failed('service', finding, error.hint), ...skipAll(['clock', 'mailbox'], behind), ...rest];
  }
  const isService = ok('service', `${session.origin} speaks MESH`);
  const clock = checkClock(error.serverTimeMs, session.surroundings.nowMs());
  const mailbox =
    clock.status === 'failed'
      ? skipped('mailbox', 'no token is good while the clock is wrong')
      : failed('mailbox', finding, error.hint);
  return [isService, clock, mailbox, ...rest];
}

/** Tokens are stamped by this machine's clock, and a token too far from the service's is refused. */
export function checkClock(serverTimeMs: number | undefined, nowMs: number): Check {
  if (serverTimeMs === undefined) return skipped('clock', 'the service does not tell its time');
  const skewMs = Math.abs(nowMs - serverTimeMs);
  const finding = `this machine and the service differ by ${Math.round(skewMs / 1000)} s`;
  const fix = 'Set this machine’s clock by NTP; tokens are refused when it is two hours off.';
  if (skewMs > tokenWindowMs) return failed('clock', finding, fix);
  return skewMs > skewWarnedMs ? warning('clock', finding, fix) : ok('clock', finding);
}

function checkWorkflow(
  session: Session,
  workflow: WorkflowToCheck | undefined,
  signal: AbortSignal | undefined,
): Promise<Check> {
  if (workflow === undefined) return Promise.resolve(skipped('workflow', 'none was named'));
  const { workflowId, odsCode, mailboxId = session.mailbox } = workflow;
  return asking('workflow', async () => {
    if (odsCode !== undefined) {
      const found = await lookupEndpoint(session, odsCode, workflowId, { signal });
      const ids = found.map((endpoint) => endpoint.mailboxId).join(', ');
      if (found.length > 0) return ok('workflow', `${odsCode} receives ${workflowId} at ${ids}`);
      const fix = `Ask ${odsCode} whether they receive ${workflowId}, and the service team to register their mailbox.`;
      return failed('workflow', `no mailbox of ${odsCode} is registered for ${workflowId}`, fix);
    }
    const found = await searchWorkflow(session, workflowId, { signal });
    if (found.some((endpoint) => endpoint.mailboxId.toUpperCase() === mailboxId.toUpperCase())) {
      return ok('workflow', `${mailboxId} is registered to receive ${workflowId}`);
    }
    const fix = `Ask the service team to register ${mailboxId} for ${workflowId}; a mailbox that only sends needs no registration.`;
    return warning('workflow', `${mailboxId} is not registered to receive ${workflowId}`, fix);
  });
}

async function asking(name: CheckName, ask: () => Promise<Check>): Promise<Check> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    return failed(name, `${error.message}; code ${error.code}`, error.hint);
  }
}
