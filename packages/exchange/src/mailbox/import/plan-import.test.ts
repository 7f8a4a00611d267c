import { describe, expect, it } from 'vitest';
import type { RegistryRecords } from '../../store/ledger/registry.ts';
import { noRecords } from '../../store/ledger-probe.ts';
import { createSealer, type Sealer } from '../sealer.ts';
import { parseEntry } from './entry.ts';
import { problemsMax } from './plan-builder.ts';
import { lineBytesMax, planEntries, planImport } from './plan-import.ts';

const sealer: Sealer = createSealer([{ id: 'k', key: new Uint8Array(32).fill(5) }]);
const nothing: RegistryRecords = { version: 0, ...noRecords };

const plan = (text: string | Uint8Array, current = nothing) =>
  planImport({ blocks: [typeof text === 'string' ? Buffer.from(text) : text], current, sealer });

async function problemsOf(text: string | Uint8Array): Promise<readonly string[]> {
  const { problems } = await plan(text);
  return problems.map(({ line, problem }) => `${line}: ${problem}`);
}

const mailbox = (id: string): string => `{"kind":"mailbox","mailboxId":"${id}","name":"n","odsCode":"X26"}\n`;

const dated = (from: string, to: string): string =>
  `{"kind":"credential","mailboxId":"A","password":"p","validFrom":"${from}","validTo":"${to}"}`;

describe('an import with lines that cannot be taken', () => {
  it('names the line and what is wrong, for every kind of wrong', async () => {
    const cases: readonly (readonly [line: string, problem: string])[] = [
      ['{"kind":"openmesh-registry","version":2}', 'not a version that can be read: this exchange reads version 1'],
      ['{', 'not JSON'],
      ['[]', 'not a JSON object'],
      ['null', 'not a JSON object'],
      ['"mailbox"', 'not a JSON object'],
      [
        '{}',
        'kind must be one of mailbox, credential, workflow, group, approval, registration, membership, rule, certificate',
      ],
      [
        '{"kind":"toString"}',
        'kind must be one of mailbox, credential, workflow, group, approval, registration, membership, rule, certificate',
      ],
      ['{"kind":"openmesh-registry","version":1}', 'kind openmesh-registry belongs on the first line'],
      ['{"kind":"mailbox"}', 'mailboxId is missing'],
      ['{"kind":"mailbox","mailboxId":7}', 'mailboxId must be a mailbox id: 1 to 100 letters, digits and _ . -'],
      ['{"kind":"mailbox","mailboxId":"../A"}', 'mailboxId must be a mailbox id: 1 to 100 letters, digits and _ . -'],
      ['{"kind":"mailbox","mailboxId":"A","name":""}', 'name must have 1 to 300 characters'],
      ['{"kind":"mailbox","mailboxId":"A","name":"a\\u001b[2J"}', 'name must not hold control characters'],
      ['{"kind":"mailbox","mailboxId":"A","state":"gone"}', 'state must be one of active, disabled, closed'],
      ['{"kind":"mailbox","mailboxId":"A","receivesChunked":1}', 'receivesChunked must be true or false'],
      ['{"kind":"mailbox","mailboxId":"A","delegatedOdsCodes":"X"}', 'delegatedOdsCodes must be a list of at most 100'],
      ['{"kind":"mailbox","mailboxId":"A"}', 'mailbox A is new and needs name and odsCode'],
      ['{"kind":"workflow","workflowId":" W"}', 'workflowId must not begin or end with a blank'],
      ['{"kind":"credential","mailboxId":"A"}', 'a credential has either password, or credentialId and sealed'],
      ['{"kind":"credential","mailboxId":"A","password":"p","sealed":"s"}', 'a credential has either password, or'],
      ['{"kind":"credential","mailboxId":"A","credentialId":"c","sealed":"s"}', 'sealed is damaged or belongs to'],
      ['{"kind":"certificate","fingerprint":"aa"}', 'fingerprint must be a SHA-256 fingerprint: 64 hex digits'],
      [`{"kind":"certificate","fingerprint":"${'a'.repeat(64)}"}`, 'is new and needs its serial'],
      ['{"kind":"registration","mailboxId":"A","workflowId":"W"}', 'role is missing'],
    ];
    const found = await problemsOf(cases.map(([line]) => `${line}\n`).join(''));
    const wanted = cases.map(([, problem]) => expect.stringContaining(problem) as unknown);
    expect(found).toEqual(wanted);
    expect(found.map((text) => Number.parseInt(text, 10))).toEqual(cases.map((_, index) => index + 1));
  });

  it('refuses members that no kind knows, those of the language among them, and is not polluted by them', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'mailbox_id', 'x'.repeat(10_000)];
    for (const name of names) {
      const line = `{"kind":"workflow","workflowId":"W",${JSON.stringify(name)}:{"restricted":true,"polluted":1}}`;
      const [problem] = await problemsOf(line);
      expect(problem).toContain('unknown member');
      expect(problem?.length).toBeLessThan(400);
    }
    const nested = '{"kind":"mailbox","mailboxId":"A","delegatedOdsCodes":[{"__proto__":{"polluted":1}}]}';
    expect((await problemsOf(nested))[0]).toContain('must be an organisation code');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('never repeats a value, which may be a password', async () => {
    const secret = 'hunter2-hunter2';
    const lines = [
      `{"kind":"credential","mailboxId":"A","password":"${secret}"`,
      `{"kind":"credential","mailboxId":"A","password":"${secret}\\n"}`,
      `{"kind":"credential","mailboxId":"${secret} ","password":"${secret}","sealed":"${secret}"}`,
      `{"kind":"credential","mailboxId":"A","credentialId":"${secret}","sealed":"${secret}"}`,
      `{"kind":"${secret}"}`,
      `{"kind":"mailbox","mailboxId":"A","state":"${secret}"}`,
    ];
    const found = await problemsOf(lines.join('\n'));
    expect(found.length).toBe(lines.length);
    expect(found.join()).not.toContain(secret);
  });

  it('passes over a huge line and one that is not UTF-8, and reads on', async () => {
    const huge = `{"kind":"workflow","workflowId":"${'w'.repeat(3 * lineBytesMax)}"}\n`;
    const broken = Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]);
    const text = Buffer.concat([Buffer.from(huge), Buffer.from(mailbox('A')), broken, Buffer.from(mailbox('B'))]);
    const read = await plan(text);
    expect(read.problems).toEqual([
      { line: 1, problem: `longer than ${lineBytesMax} bytes` },
      { line: 3, problem: 'not UTF-8' },
    ]);
    expect(read.counts.mailbox.added).toBe(2);
  });

  it('holds deep nesting to the line it is on', async () => {
    const deep = `{"kind":"mailbox","mailboxId":"A","delegatedOdsCodes":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(await problemsOf(`${deep}\n${mailbox('B')}`)).toHaveLength(1);
  });

  it('stops at the limit of problems and says so, without judging references it has not read', async () => {
    const registration = '{"kind":"registration","mailboxId":"LATER","workflowId":"W","role":"responder"}\n';
    const read = await plan(registration + 'x\n'.repeat(problemsMax * 3) + mailbox('LATER'));
    expect(read.stopped).toBe(true);
    expect(read.problems).toHaveLength(problemsMax);
    expect(read.problems.every(({ problem }) => problem === 'not JSON')).toBe(true);
  });

  it('names what a line refers to when nothing gives it, wherever in the file it would be', async () => {
    const registration = '{"kind":"registration","mailboxId":"A","workflowId":"W","role":"responder"}\n';
    expect(await problemsOf(registration + mailbox('A'))).toEqual(['1: no such workflow: "W"']);
    expect(await problemsOf(`{"kind":"workflow","workflowId":"W"}\n${registration}`)).toEqual([
      '2: no such mailbox: A',
    ]);
  });

  it('takes dates that are dates only', async () => {
    const good = await plan(mailbox('A') + dated('2026-01-01', '2026-12-31T23:59:59.5Z'));
    expect(good.problems).toEqual([]);
    expect(good.change.credentials?.[0]).toMatchObject({
      validFromMs: Date.UTC(2026, 0, 1),
      validToMs: Date.UTC(2026, 11, 31, 23, 59, 59, 500),
    });
    for (const date of ['2026-02-30', '2026-13-01', '21.11.2026', '2026-01-01T00:00:00', '2026-01-01T25:00:00Z', '0']) {
      expect(await problemsOf(mailbox('A') + dated(date, '2027-01-01'))).toHaveLength(1);
    }
    expect(await problemsOf(mailbox('A') + dated('2026-01-02', '2026-01-01'))).toHaveLength(1);
  });
});

describe('a plan', () => {
  it('is the same however the bytes are cut into blocks', async () => {
    const text = Buffer.from(`${mailbox('A')}\r\n\n${mailbox('B').trimEnd()}`);
    const whole = await plan(text);
    for (let size = 1; size < 40; size += 3) {
      const blocks = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
        text.subarray(n * size, n * size + size),
      );
      expect(await planImport({ blocks, current: nothing, sealer })).toEqual(whole);
    }
    expect(whole.counts.mailbox.added).toBe(2);
  });

  it('finds a password that is there under an older key, and does not seal it again', () => {
    const older = createSealer([{ id: 'old', key: new Uint8Array(32).fill(6) }]);
    const both = createSealer([
      { id: 'new', key: new Uint8Array(32).fill(7) },
      { id: 'old', key: new Uint8Array(32).fill(6) },
    ]);
    const entries = [mailbox('A'), '{"kind":"credential","mailboxId":"A","password":"p"}'].flatMap((line, index) => {
      const entry = parseEntry(line, index + 1);
      return entry === undefined ? [] : [entry];
    });
    const { change } = planEntries(entries, nothing, older);
    const current = { ...nothing, ...change, version: 1 } as RegistryRecords;
    expect(planEntries(entries, current, both).counts.credential).toEqual({ added: 0, changed: 0, unchanged: 1 });
  });

  it('reports progress without holding the file', async () => {
    const seen: number[] = [];
    const blocks = Array.from({ length: 25 }, () => Buffer.from('\n'.repeat(1000)));
    await planImport({ blocks, current: nothing, sealer, onProgress: (lines) => seen.push(lines) });
    expect(seen).toEqual([10_000, 20_000]);
  });
});
