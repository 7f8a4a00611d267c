import { expect, it } from 'vitest';
import { one, type Talk } from '../question.ts';
import { readRegistryVersion } from '../questions/messages.ts';
import { raiseVersion } from '../questions/registry.ts';
import type { Statement } from './connection.ts';
import { leadTogether } from './rounds.ts';

function* readVersion(): Talk<number | undefined> {
  return (yield* one(readRegistryVersion))?.version;
}

function* raiseAndRead(): Talk<number | undefined> {
  yield* one(raiseVersion);
  return yield* readVersion();
}

/** Leads them against a registry that counts its versions; answers the results and the names of what was put. */
async function lead(talks: readonly Talk<unknown>[]): Promise<{ results: readonly unknown[]; put: readonly string[] }> {
  const names: string[] = [];
  let version = 7;
  const put = async ({ name = '' }: Statement) => {
    names.push(name);
    if (name === raiseVersion.name) version += 1;
    return { rows: [{ version }], count: 1, command: 'SELECT' };
  };
  return { results: await leadTogether(talks, { put, defers: true, mailboxes: [] }), put: names };
}

it('asks once what holds for the whole transaction, however many want to know it and whenever', async () => {
  const later = function* (): Talk<unknown> {
    yield* readVersion();
    return yield* readVersion();
  };
  const { results, put } = await lead([readVersion(), readVersion(), later()]);
  expect(results).toEqual([7, 7, 7]);
  expect(put).toEqual([readRegistryVersion.name]);
});

it('asks again what a change of the same transaction unsettled', async () => {
  const { results } = await lead([raiseAndRead()]);
  expect(results).toEqual([8]);
});
