import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CommandOutcome, runCommand } from '../kit/command-process.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { listedIdsOf, type MeshClient, sentIdOf } from '../kit/mesh-client.ts';
import { writeSettingsFile } from '../kit/settings-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

let postgres: PostgresServer;
let home: TemporaryFolder;
let folder: ExchangeFolder;
let server: ExchangeProcess | undefined;
let client: MeshClient | undefined;

beforeAll(async () => {
  postgres = await PostgresServer.start({ durable: true });
});
afterAll(() => postgres[Symbol.asyncDispose]());
beforeEach(async () => {
  home = await temporaryFolder('migrate-store');
  folder = new ExchangeFolder(home.path);
  mkdirSync(folder.data);
  folder.addMailboxes(['READER']);
  server = await ExchangeProcess.start({ env: folder.env });
  client = folder.client(server.url, 'READER');
});
afterEach(async () => {
  client?.close();
  await server?.kill9();
  await home.remove();
});

/** The settings to come: PostgreSQL and another folder. */
async function newSettings(): Promise<Record<string, string>> {
  const bodies = `file:${join(home.path, 'new-bodies')}`;
  return { ...folder.env, OPENMESH_LEDGER: await postgres.createDatabase(), OPENMESH_BODIES: bodies };
}

function move(target: Readonly<Record<string, string>>): Promise<CommandOutcome> {
  const file = join(home.path, 'new.env');
  writeSettingsFile(file, target);
  return runCommand(['migrate-store', file, '--json'], folder.env);
}

async function stop(): Promise<void> {
  client?.close();
  await server?.stop();
}

async function serve(env: Readonly<Record<string, string>>): Promise<MeshClient> {
  server = await ExchangeProcess.start({ env });
  client = folder.client(server.url, 'READER');
  return client;
}

describe('moving an exchange from SQLite to PostgreSQL', () => {
  it('keeps used tokens used, at every node and after a restart, and takes fresh ones', async () => {
    const used = Array.from({ length: 20 }, () => client?.authorization() ?? '');
    for (const authorization of used) expect((await client?.count({ authorization }))?.status).toBe(200);
    const never = client?.authorization() ?? '';
    await stop();
    const target = await newSettings();
    const moved = await move(target);
    // A slow machine is told of progress there.
    expect(moved.status, moved.err).toBe(0);
    expect((JSON.parse(moved.out) as { tokens: number }).tokens).toBeGreaterThanOrEqual(used.length);
    for (const start of ['first', 'second']) {
      const reader = await serve(target);
      const statuses = await Promise.all(
        used.map(async (each) => (await reader.count({ authorization: each })).status),
      );
      expect(statuses, start).toEqual(used.map(() => 403));
      // In one batch with those that were used.
      const asked = [used[0] ?? '', reader.authorization(), used[1] ?? '', reader.authorization()];
      const mixed = await Promise.all(asked.map(async (each) => (await reader.count({ authorization: each })).status));
      expect(mixed, start).toEqual([403, 200, 403, 200]);
      expect((await reader.count({ authorization: never })).status).toBe(start === 'first' ? 200 : 403);
      await stop();
    }
  });

  it('finds one flipped bit of an encrypted body, names it and moves nothing; mended, all of it moves', async () => {
    const body = Buffer.alloc(9_000_000, 'three blocks of an encrypted body ');
    const sent = sentIdOf((await client?.send({ to: 'READER', workflowId: 'W' }, body)) as never);
    await stop();
    const bodies = join(folder.data, 'bodies');
    const [file = ''] = readdirSync(bodies, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[5_000_000] = (bad[5_000_000] ?? 0) ^ 1;
    writeFileSync(file, bad);
    const target = await newSettings();
    const refused = await move(target);
    expect(refused.status).toBe(1);
    expect(JSON.parse(refused.out)).toMatchObject({ absentCount: 1, rows: 0, absent: [{ why: 'damaged' }] });
    expect(refused.err).toContain('the ledger was not moved');
    writeFileSync(file, good);
    const moved = await move(target);
    expect(moved.status, moved.err).toBe(0);
    expect(JSON.parse(moved.out)).toMatchObject({ absentCount: 0, bodies: 1, unchecked: 0 });
    const reader = await serve(target);
    expect(listedIdsOf(await reader.list())).toEqual([sent]);
    expect((await reader.download(sent)).body.equals(body)).toBe(true);
  });
});
