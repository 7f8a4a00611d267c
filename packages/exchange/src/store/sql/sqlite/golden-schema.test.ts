import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { migrate, openEngine } from './engine.ts';

// To write the golden schema anew after a migration was added:
//   OPENMESH_WRITE_GOLDEN=yes node scripts/with-node24.js vitest run golden-schema
const golden = new URL('../golden/sqlite.sql', import.meta.url);

/** The schema that all migrations together make of an empty file. */
function migratedSchema(): string {
  const folder = mkdtempSync(join(tmpdir(), 'openmesh-golden-'));
  const path = join(folder, 'ledger.sqlite');
  try {
    const engine = openEngine({ path, readOnly: false, cacheMebibytes: 1, lockTimeoutMs: 0 });
    migrate(engine);
    migrate(engine);
    engine.close();
    const db = new DatabaseSync(path, { readOnly: true });
    const rows = db
      .prepare('select sql from sqlite_schema where sql is not null order by tbl_name, type desc, name')
      .all();
    db.close();
    return rows.map(({ sql }) => `${String(sql)};\n`).join('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('makes of an empty file exactly the schema that was agreed, however often it migrates', () => {
  const schema = migratedSchema();
  if (process.env.OPENMESH_WRITE_GOLDEN === 'yes') writeFileSync(golden, schema);
  expect(schema).toBe(readFileSync(golden, 'utf8'));
});

it('refuses a ledger that a later version made', () => {
  const folder = mkdtempSync(join(tmpdir(), 'openmesh-golden-'));
  const engine = openEngine({ path: join(folder, 'l'), readOnly: false, cacheMebibytes: 1, lockTimeoutMs: 0 });
  try {
    engine.exec('pragma user_version = 9999');
    expect(() => migrate(engine)).toThrow('the ledger has schema 9999');
  } finally {
    engine.close();
    rmSync(folder, { recursive: true });
  }
});
