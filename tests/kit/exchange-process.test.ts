import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { CrashTrigger } from './crash-points.ts';
import { ExchangeProcess, type ExchangeProcessOptions, NotReady } from './exchange-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const program = fileURLToPath(new URL('programs/pretend-server.ts', import.meta.url));
const running: ExchangeProcess[] = [];
async function started(
  options: Partial<Pick<ExchangeProcessOptions, 'env' | 'nodeArgs'>> = {},
): Promise<ExchangeProcess> {
  const process = await ExchangeProcess.start({ env: {}, ...options, program, args: ['serves'] });
  running.push(process);
  return process;
}
afterEach(async () => {
  for (const each of running.splice(0)) await each.kill9();
});

describe('a server in a process of its own', () => {
  it('is started once it said where it listens, with no settings but those given', async () => {
    process.env['OPENMESH_OF_THE_TEST'] = '1';
    const server = await started({ env: { OPENMESH_GIVEN: '1' } });
    delete process.env['OPENMESH_OF_THE_TEST'];
    expect(server.url).toBe('http://127.0.0.1:1');
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(server.stdout).toBe('warming up\nOPENMESH_GIVEN\n');
  });

  it('is dead when kill9 resolves, and another can be started from it', async () => {
    const first = await started();
    expect(await first.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(first.running).toBe(false);
    const second = await first.restart({ OPENMESH_MORE: '2' });
    running.push(second);
    expect(second.running).toBe(true);
    expect(second.pid).not.toBe(first.pid);
  });

  it('gives its last words when it does not start', async () => {
    const failing = ExchangeProcess.start({ env: {}, program, args: ['fails'] });
    await expect(failing).rejects.toBeInstanceOf(NotReady);
    await expect(failing).rejects.toMatchObject({
      end: { code: 78 },
      output: expect.stringContaining('no such setting'),
    });
  });

  it('dies by its own hand at a crash point, once it is told to', async () => {
    await using folder = await temporaryFolder('crash');
    const trigger = new CrashTrigger(join(folder.path, 'trigger'));
    const server = await started(trigger.start);
    expect(server.running).toBe(true);
    trigger.arm('openmesh:before-answer', 3);
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
