// Claims nonces in the real ledger, a handful side by side so that they share flushes, and prints each that was
// answered. Ends as the exchange does when its ledger can no longer be trusted: at once, and not with 0.
import { writeSync } from 'node:fs';
import { openSqliteLedger } from '@openmesh/exchange/store/sql/sqlite/ledger.ts';
import type { MailboxId } from '@openmesh/protocol';

const [path = '', first = '1', count = '1'] = process.argv.slice(2);
const ledger = await openSqliteLedger({
  path,
  profile: 'live',
  cacheMebibytes: 8,
  queueMax: 100,
  onBroken: () => process.exit(70),
});
let next = Number(first);
const end = next + Number(count);
async function claimOn(): Promise<void> {
  while (next < end) {
    const nonce = `${next}:0`;
    next += 1;
    await ledger.nonces.claim({ mailbox: 'RINGS' as MailboxId, nonce, seenAtMs: 1, expiresAtMs: 2 });
    writeSync(1, `${nonce}\n`);
  }
}
await Promise.all([claimOn(), claimOn(), claimOn(), claimOn()]);
process.kill(process.pid, 'SIGKILL');
