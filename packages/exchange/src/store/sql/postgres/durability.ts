import type { UnsafeSetting } from '../../ledger-problem.ts';
import type { PostgresConnection } from './connection.ts';

/** What each setting must not be. */
const unsafe: Readonly<Record<UnsafeSetting, 'on' | 'off'>> = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  data_sync_retry: 'on',
};

/** The settings by which this server, or this connection to it, answers commits that a power cut could undo. */
export async function unsafeSettings(connection: PostgresConnection): Promise<readonly UnsafeSetting[]> {
  const names = Object.keys(unsafe) as UnsafeSetting[];
  const asked = names.map((name) => `current_setting('${name}') as ${name}`);
  const { rows } = await connection.put({ sql: `select ${asked.join(', ')}` });
  return names.filter((name) => rows[0]?.[name] === unsafe[name]);
}
