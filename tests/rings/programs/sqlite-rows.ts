// Commits rows one by one and says so after each commit: on standard output, and in a file of the same folder so that
// a journal of that folder shows what had been promised at every moment.
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [folder = '.', synchronous = 'FULL', rows = '100'] = process.argv.slice(2);
const database = new DatabaseSync(join(folder, 'rows.db'));
database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA wal_autocheckpoint=20`);
database.exec('CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, body TEXT NOT NULL)');
const promises = openSync(join(folder, 'promises'), 'a');
const insert = database.prepare('INSERT INTO rows VALUES (?, ?)');
const first = Number(database.prepare('SELECT coalesce(max(n), 0) AS n FROM rows').get()?.['n']) + 1;
for (let n = first; n < first + Number(rows); n += 1) {
  insert.run(n, `${n}:`.padEnd((n * 37) % 3000, 'x'));
  writeSync(promises, '.');
  writeSync(1, `${n}\n`);
}
