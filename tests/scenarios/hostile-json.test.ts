import { createLocalRegister } from '@openmesh/demographics';
import { readDirectoryObject } from '@openmesh/exchange/mailbox/directory/read-line.ts';
import { parseEntry } from '@openmesh/exchange/mailbox/import/entry.ts';
import { parseSandboxMailboxes, parseSandboxWorkflows } from '@openmesh/exchange/mailbox/sandbox-fixtures.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { RunningSandbox } from '../kit/running-sandbox.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

/** Members that reach every object where a reader copies what it was given without looking. */
const poisons = [
  '"__proto__":{"polluted":"yes","toString":"yes"}',
  '"constructor":{"prototype":{"polluted":"yes"}}',
  '"prototype":{"polluted":"yes"}',
  '"hasOwnProperty":"yes","toString":null,"valueOf":1',
  '"$type":"System.Diagnostics.Process","@class":"java.lang.ProcessBuilder","!type":"x"',
];

/** Each poison in front of the members of a document, and in the place of each of its values. */
function poisoned(document: Readonly<Record<string, unknown>>): readonly string[] {
  const plain = JSON.stringify(document);
  return poisons.flatMap((poison) => [
    `{${poison},${plain.slice(1)}`,
    ...Object.keys(document).map(
      (member) =>
        `{${poison},${JSON.stringify({ ...document, [member]: 0 })
          .replace(':0', `:{${poison}}`)
          .slice(1)}`,
    ),
    `[{${poison}}]`,
  ]);
}

const untouched = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort());
function expectUntouched(): void {
  expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort())).toBe(untouched);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.prototype.toString.call({})).toBe('[object Object]');
}
afterEach(expectUntouched);

const clock = { nowMs: () => 0 };

/** Every reader of JSON that is not one of HTTP, with a document that it takes. A refusal is as good as an answer. */
const readers: readonly (readonly [string, Readonly<Record<string, unknown>>, (text: string) => unknown])[] = [
  ['a line of an import', { kind: 'mailbox', mailboxId: 'A1', name: 'A' }, (text) => parseEntry(text, 1)],
  [
    'a rule of an import',
    { kind: 'rule', ruleId: 'r', version: 1, action: 'copy', target: 'A1' },
    (text) => parseEntry(text, 1),
  ],
  [
    'a line of the directory',
    { odsCode: 'A81001', name: 'A', roles: ['RO177'] },
    (text) => readDirectoryObject(JSON.parse(text)),
  ],
  [
    'an organisation in FHIR',
    { resourceType: 'Organization', id: 'A81001', name: 'A', identifier: [{ value: 'A81001' }], active: true },
    (text) => readDirectoryObject(JSON.parse(text)),
  ],
  [
    'a line of a register',
    { nhsNumber: '9000000009', dateOfBirth: '2010-10-22', surnames: ['A'] },
    (text) => createLocalRegister({ text, surnameMatch: 'first-three', clock }),
  ],
  [
    'a patient in FHIR',
    { resourceType: 'Patient', id: '9000000009', name: [{ family: 'A' }], birthDate: '2010-10-22' },
    (text) => createLocalRegister({ text, surnameMatch: 'first-three', clock }),
  ],
  ['mailboxes of the sandbox', { mailbox_id: 'A1', mailbox_name: 'A' }, parseSandboxMailboxes],
  ['workflows of the sandbox', { workflow_id: 'W', senders: ['A1'] }, parseSandboxWorkflows],
];

describe('a document cannot reach the objects of everybody', () => {
  it.each(readers)('as %s', (_name, document, read) => {
    expect(() => read(JSON.stringify(document))).not.toThrow();
    for (const text of poisoned(document)) {
      try {
        const result = JSON.stringify(read(text) ?? null);
        expect(result, text).not.toContain('polluted');
        expect(result, text).not.toContain('ProcessBuilder');
      } catch (error) {
        expect((error as Error).name, text).toMatch(/Problem|Fault|SyntaxError/);
      }
      expectUntouched();
    }
  });

  it('by the administration routes of the sandbox', async () => {
    const folder = await temporaryFolder('poison');
    const sandbox = await RunningSandbox.start({ dataFolder: folder.path });
    const bodies: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ['/messageexchange/admin/report', { mailbox_id: 'X26ABC1', code: '12', description: 'd', workflow_id: 'W' }],
      ['/messageexchange/admin/clock', { advance: 'P0D' }],
      ['/messageexchange/admin/faults', { operation: 'send-message', status: 503 }],
      ['/messageexchange/admin/message/X/event', { code: '00', event: 'TRANSFER' }],
    ];
    for (const [path, document] of bodies) {
      for (const text of poisoned(document)) {
        const { status } = await sandbox.admin('POST', path, text);
        expect(status, text).toBeLessThan(500);
        expectUntouched();
      }
    }
    sandbox.closeClients();
    await sandbox[Symbol.asyncDispose]();
    await folder.remove();
  });
});
