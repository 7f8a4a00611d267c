import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  filesTooLong,
  mentionsOfOneMachine,
  namesThatSayNothing,
  readersOfTheEnvironment,
  sqlOutsideItsRoom,
} from './architecture/house-rules.ts';
import { importsOf } from './architecture/imports.ts';
import { forbiddenImports, roomOf, rooms } from './architecture/rooms.ts';
import { codeOf, readSourceTree, repositoryRoot, shippedExchangeOf } from './architecture/source-tree.ts';
import { exportsNobodyNames, filesNobodyImports } from './architecture/unused.ts';

const files = readSourceTree();
const code = codeOf(files);
const shipped = shippedExchangeOf(files);
const hall = 'packages/exchange/src/message/send.ts';

describe('who may know whom', () => {
  it('has a room for every file of the house, and a file in every room', () => {
    const source = files.map(({ path }) => path).filter((path) => /^packages\/[a-z-]+\/src\/.*\.ts$/.test(path));
    expect(source.filter((path) => roomOf(path) === undefined)).toEqual([]);
    expect(rooms.filter((room) => !source.some((path) => roomOf(path) === room))).toEqual([]);
  });

  it('lets no file import what its room may not know', () => {
    expect(forbiddenImports(files)).toEqual([]);
  });

  it.each([
    ['the hall opening a file', hall, "import { open } from 'node:fs/promises';"],
    ['the hall speaking HTTP', hall, "import type { IncomingMessage } from 'node:http';"],
    ['the hall holding the driver', hall, "import { DatabaseSync } from 'node:sqlite';"],
    ['the hall knowing a door', hall, "import {\n  sendMessage,\n} from '../api/machines/send-message.ts';"],
    ['a mailbox knowing the hall', 'packages/exchange/src/mailbox/a.ts', "export * from '../message/send.ts';"],
    [
      'a door going to the cellar',
      'packages/exchange/src/api/machines/a.ts',
      "import '../../store/transfer/body-key.ts';",
    ],
    ['the hall knowing the composer by a type', hall, "type A = import('../compose.ts').RunningExchange;"],
    [
      'the record book starting a worker of the disk',
      'packages/exchange/src/store/sql/a.ts',
      "new URL('../transfer/hash-worker.ts', import.meta.url)",
    ],
    ['the protocol using Node', 'packages/protocol/src/a.ts', "import { createHash } from 'node:crypto';"],
    ['the exchange knowing the sandbox', 'packages/exchange/src/compose.ts', "import { a } from '@openmesh/sandbox';"],
    ['shipped code using the tests', hall, "import { a } from '../../../../tests/kit/history.ts';"],
    ['a file in no room', 'packages/exchange/src/cupboard/a.ts', ''],
  ])('would notice %s', (_what, path, text) => {
    expect(forbiddenImports([{ path, text }])).toHaveLength(1);
  });

  it('reads the imports of every shipped file that has any', () => {
    const blind = shipped.filter((file) => /\bfrom '/.test(file.text) && importsOf(file).length === 0);
    expect(blind).toEqual([]);
  });
});

describe('house rules', () => {
  it('keeps every file of code within 300 lines', () => {
    expect(filesTooLong(code)).toEqual([]);
    expect(filesTooLong([{ path: 'a.ts', text: 'x\n'.repeat(301) }])).toHaveLength(1);
  });

  it('has no drawer: nothing is named utils, helpers, common, shared, misc, manager, data or info', () => {
    expect(namesThatSayNothing(code)).toEqual([]);
    const drawer = { path: 'packages/exchange/src/http/header-utils.ts', text: '' };
    const camel = { path: 'packages/exchange/src/http/headerText.ts', text: 'export interface MessageInfo {}' };
    expect(namesThatSayNothing([drawer, camel])).toHaveLength(3);
  });

  it('writes SQL in store/sql and nowhere else', () => {
    expect(sqlOutsideItsRoom(shipped)).toEqual([]);
    expect(sqlOutsideItsRoom([{ path: hall, text: 'const q = `\n  SELECT 1`;' }])).toEqual([hall]);
  });

  it('reads the environment in config/env.ts, and for the sandbox, the command mesh and the folder client in their first files', () => {
    const allowed = [
      'packages/exchange/src/config/env.ts',
      'packages/sandbox/src/main.ts',
      'packages/sdk/src/cli/main.ts',
      'packages/client/src/cli/main.ts',
      'packages/client/bin/node24.js',
      // What is not set for malloc, it sets for its child.
      'packages/exchange/bin/node24.js',
    ];
    expect(readersOfTheEnvironment(files).filter((path) => !allowed.includes(path))).toEqual([]);
    expect(readersOfTheEnvironment([{ path: hall, text: 'process.env.A' }])).toEqual([hall]);
  });

  it('ships nothing that nobody uses: no file, and no exported name', () => {
    const started = ['cli/main.ts', 'index.ts'].map((path) => `packages/exchange/src/${path}`);
    expect(filesNobodyImports(shipped, code).filter((path) => !started.includes(path))).toEqual([]);
    expect(exportsNobodyNames(shipped, code)).toEqual([]);
    const dead = { path: hall, text: 'export function neverCalledByAnybody() {}' };
    expect([...filesNobodyImports([dead], [dead]), ...exportsNobodyNames([dead], [dead])]).toHaveLength(2);
  });

  it('names no place that exists on one machine only', () => {
    expect(mentionsOfOneMachine(files)).toEqual([]);
    expect(mentionsOfOneMachine([{ path: 'a.md', text: ['see', 'work', 'main'].join('/') }])).toHaveLength(1);
  });
});

describe('migrations', () => {
  const folder = 'packages/exchange/src/store/sql/migrations/';
  const changed =
    'a ledger in use has run these: add a migration and record its SHA-256 in tests/architecture/migrations.json (only ' +
    'before the first release may 0001 itself change, and its hash with it)';
  const recorded = JSON.parse(
    readFileSync(join(repositoryRoot, 'tests/architecture/migrations.json'), 'utf8'),
  ) as Readonly<Record<string, string>>;

  it('are only ever added to: each has the hash that was recorded when it was added', () => {
    const present = Object.fromEntries(
      files
        .filter(({ path }) => path.startsWith(folder))
        .map(({ path, text }) => [path.slice(folder.length), createHash('sha256').update(text).digest('hex')]),
    );
    expect(present, changed).toEqual(recorded);
  });

  it('are numbered from 0001 on, each number once, in each dialect', () => {
    const dialects = Map.groupBy(Object.keys(recorded), (name) => name.split('/')[0]);
    for (const names of dialects.values()) {
      const numbers = names.map((name) => Number(/\/(\d{4})-[a-z-]+\.sql$/.exec(name)?.[1]));
      expect(numbers[0]).toBe(1);
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    }
  });
});
