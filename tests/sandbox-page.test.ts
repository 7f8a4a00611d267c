import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { operations } from '@openmesh/exchange/http/operation.ts';
import { faultKinds } from '@openmesh/exchange/http/scripted-faults.ts';
import { movesTold } from '@openmesh/sandbox/hooks.ts';
import { help } from '@openmesh/sandbox/read-arguments.ts';
import { expect, it } from 'vitest';

const page = readFileSync(fileURLToPath(new URL('../docs/sandbox.md', import.meta.url)), 'utf8');
const unscripted = new Set(['admin', 'mailbox-details', 'unmatched']);

it('names every kind of fault and every operation that can be met by one', () => {
  const wanted = [...faultKinds, ...operations.filter((name) => !unscripted.has(name))];
  expect(wanted.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('names every move that hooks are told of', () => {
  expect(movesTold.filter((move) => !page.includes(`\`${move}\``))).toEqual([]);
});

it('names every option and variable that the help names', () => {
  const named = help.match(/--[a-z]+|\b[A-Z]{2,}(?:_[A-Z]+)*\b/g) ?? [];
  const plainWords = new Set(['--help', 'OPTION', 'MESH', 'TLS', 'JSON']);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !page.includes(name) && !plainWords.has(name))).toEqual([]);
});
