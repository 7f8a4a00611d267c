import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { settings } from '../config/settings.ts';
import { checkConfig } from './check-config.ts';
import { exitCodes } from './command.ts';

const good = { OPENMESH_PROFILE: 'sandbox', OPENMESH_TLS: 'off', OPENMESH_SHARED_KEY: 'never-show-this-key' };

async function run(args: readonly string[], env: Readonly<Record<string, string>> = good) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await checkConfig.run(args, { stdout: (t) => out.push(t), stderr: (t) => err.push(t), env });
  return { status, out: out.join(''), err: err.join('') };
}

describe('openmesh-exchange check-config', () => {
  it('prints what is in force with the secret masked, as lines and as JSON', async () => {
    const lines = await run([]);
    expect(lines.status).toBe(exitCodes.ok);
    expect(lines.out).toContain('OPENMESH_SHARED_KEY=********\n');
    expect(lines.out).toContain('OPENMESH_NONCE_CHECK=off  (default)\n');
    const json = await run(['--json']);
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, config: { tokens: { sharedKeys: ['********'] } } });
    expect(lines.out + json.out).not.toContain('never-show-this-key');
  });

  it('answers 78 with one sentence for each problem', async () => {
    const env = { ...good, OPENMESH_MACHINES_PORT: '70000', OPENMESH_TYPO: '1' };
    const { status, err } = await run([], env);
    expect(status).toBe(exitCodes.config);
    expect(err.split('\n').filter((line) => line !== '')).toEqual([
      'OPENMESH_TYPO is not a setting of OpenMESH.',
      'OPENMESH_MACHINES_PORT must be a whole number from 0 to 65535.',
    ]);
    expect(JSON.parse((await run(['--json'], env)).out)).toMatchObject({ ok: false });
  });

  it('answers 64 with the usage for an argument it does not know', async () => {
    expect(await run(['--jsno'])).toMatchObject({ status: exitCodes.usage, out: '' });
    expect((await run(['--help'])).out).toContain('usage: openmesh-exchange check-config');
  });

  it('prints docs/config.md exactly, so that the page cannot drift from the table', async () => {
    const page = readFileSync(new URL('../../../../docs/config.md', import.meta.url), 'utf8');
    expect((await run(['--markdown'])).out).toBe(page);
    for (const name of Object.keys(settings)) expect(page).toContain(`| \`${name}\` |`);
  });
});
