import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createExportCommand } from '@openmesh/exchange/cli/export.ts';
import { openForAdmin } from '@openmesh/exchange/compose/open-for-admin.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeysCommand } from '../../kit/keys-command.ts';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

let exchange: ExchangeInProcess;
let command: KeysCommand;
let keyFile: string;

beforeEach(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  command = new KeysCommand(exchange);
  keyFile = command.keyFile;
});
afterEach(() => exchange.stop());

const keys = (...args: readonly string[]) => command.run(...args);

async function send(): Promise<void> {
  sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, 'small'));
}

describe('the key file', () => {
  it('keeps its mode, is whole at every moment, and shows no key on the way', async () => {
    chmodSync(keyFile, 0o400);
    const before = readFileSync(keyFile, 'utf8').trim();
    const ran = await keys('rotate');
    expect(ran.status).toBe(0);
    expect(statSync(keyFile).mode & 0o777).toBe(0o400);
    const lines = readFileSync(keyFile, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(ran.out + ran.err + (await keys('list')).out).not.toContain(line);
    expect(lines[1]).toBe(before);
  });

  it('keeps its owner, and is changed where it lies when its name is a link', async () => {
    const real = `${keyFile}.real`;
    renameSync(keyFile, real);
    symlinkSync(real, keyFile);
    // Only the superuser may give a file away; another's is refused to everybody else.
    if (process.getuid?.() === 0) chownSync(real, 65_534, 65_534);
    const { uid, gid } = statSync(real);
    expect((await keys('rotate')).status).toBe(0);
    expect(lstatSync(keyFile).isSymbolicLink()).toBe(true);
    expect(statSync(real)).toMatchObject({ uid, gid });
    expect(readFileSync(real, 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it('is changed by one command at a time, and again when one was cut off over it', async () => {
    const aside = `${keyFile}.changing`;
    writeFileSync(aside, 'half');
    const before = readFileSync(keyFile, 'utf8');
    const refused = await keys('rotate');
    expect(refused).toMatchObject({ status: 73, out: '', err: expect.stringContaining('try again in a minute') });
    expect(readFileSync(keyFile, 'utf8')).toBe(before);
    utimesSync(aside, 0, 0);
    expect(await keys('rotate')).toMatchObject({ status: 0 });
    expect(existsSync(aside)).toBe(false);
    expect(readFileSync(keyFile, 'utf8').endsWith(before)).toBe(true);
  });

  it('gives up a key only when every exchange has had time to read that another is in use', async () => {
    const [old] = await command.listed();
    await keys('rotate');
    expect(await keys('rewrap')).toMatchObject({ status: 0 });
    // Changed at this moment, however long this test takes: the clock of the file is ahead.
    command.dateFile(1);
    const [fresh] = await command.listed();
    const waits: number[] = [];
    command.whileWaiting = async (ms) => {
      waits.push(ms);
      expect(readFileSync(keyFile, 'utf8').trim().split('\n')).toHaveLength(2);
      // What changes meanwhile counts.
      await keys('rotate', '--promote', old?.keyId ?? '');
      command.dateFile(-1);
    };
    expect(await keys('drop', old?.keyId ?? '')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^waiting \d+ s.*\n.*in use/),
    });
    expect(waits).toEqual([300_000]);
    await keys('rotate', '--promote', fresh?.keyId ?? '');
    command.dateFile(-1);
    expect(await keys('drop', old?.keyId ?? '')).toMatchObject({ status: 0 });
  });

  it('may lose several keys one after the other', async () => {
    const [old] = await command.listed();
    const { keyId } = await command.answer('rotate', '--prepare');
    await keys('rotate', '--prepare');
    await keys('rotate', '--promote', String(keyId));
    const others = (await command.listed()).filter((key) => key.keyId !== keyId);
    expect(await keys('rewrap')).toMatchObject({ status: 0 });
    command.dateFile(-1);
    for (const each of others) expect(await keys('drop', each.keyId)).toMatchObject({ status: 0 });
    expect(others.map((each) => each.keyId)).toContain(old?.keyId);
    expect(await command.listed()).toMatchObject([{ keyId, line: 1 }]);
  });

  it('gives up no key that is in use, needed or unknown, and takes no more than it may hold', async () => {
    await send();
    const [old] = await command.listed();
    expect(await keys('drop', old?.keyId ?? '')).toMatchObject({ status: 1 });
    expect(await keys('drop', 'nope')).toMatchObject({ status: 1, err: expect.stringContaining('keys list') });
    expect(await keys('rotate', '--promote', 'nope')).toMatchObject({ status: 1 });
    expect(await keys('rotate', '--promote', 'x', '--prepare')).toMatchObject({ status: 65 });
    const whole = readFileSync(keyFile, 'utf8');
    expect(whole.trim().split('\n')).toHaveLength(1);
    for (let n = 1; n < 8; n += 1) expect((await keys('rotate')).status).toBe(0);
    expect(await keys('rotate')).toMatchObject({ status: 1, err: expect.stringContaining('keys drop') });
    const needed = await keys('drop', old?.keyId ?? '');
    expect(needed).toMatchObject({ status: 1, err: expect.stringContaining('keys rewrap') });
    expect(readFileSync(keyFile, 'utf8').endsWith(whole)).toBe(true);
  });

  it('is in no export', async () => {
    const out: string[] = [];
    const io = {
      stdout: (text: string) => void out.push(text),
      stderr: () => undefined,
      env: command.env,
    };
    expect(await createExportCommand(openForAdmin).run([], io)).toBe(0);
    expect(out.join('')).toContain('X26ABC1');
    expect(out.join('')).not.toContain(readFileSync(keyFile, 'utf8').trim());
  });
});
