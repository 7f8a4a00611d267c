import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import {
  installSteps,
  removeSteps,
  type ServicePlace,
  type ServicePlan,
  type ServiceStep,
  scheduledTask,
  systemdUnit,
  unitFile,
} from '../compose/service-definition.ts';
import { codeOf } from '../folders/durable.ts';
import { type Command, type CommandIo, CommandRefusal, exitCodes, type Request } from './command.ts';
import { readConfig } from './find-config.ts';

/** Runs the client from the start of the machine: a unit of systemd, or a task of Windows' scheduler. */
export const serviceCommand: Command = {
  name: 'service',
  usage: 'install [CONFIG] [--shared-key-file FILE] [--user NAME] [--no-start] [--print] | remove',
  summary: 'run the client from the start of the machine, or no longer',
  about:
    'install writes a unit for systemd, or on Windows a task of its scheduler, for this program and this configuration, and\nstarts it. It needs the rights of an administrator, and changes nothing when the configuration is not good. remove ends it\nand takes the definition away; configuration, folders and journal stay.',
  positionals: [1, 2],
  options: {
    'shared-key-file': 'file of the shared key; that of OPENMESH_SHARED_KEY_FILE when absent',
    user: 'account it runs under (Linux); openmesh-client when absent',
    'unit-folder': 'where units lie (Linux); /etc/systemd/system when absent',
    'no-start': 'define it and start nothing',
    print: 'print the definition and change nothing',
  },
  values: { 'shared-key-file': 'FILE', user: 'NAME', 'unit-folder': 'FOLDER' },
  run(request, io) {
    const [action, config] = request.positionals;
    const { platform } = process;
    const unitFolder = request.options['unit-folder'] ?? '/etc/systemd/system';
    const place: ServicePlace = { platform, unitFolder, temporaryFolder: tmpdir() };
    switch (action) {
      case 'install':
        install(request, planOf(request, config, io), place, io);
        break;
      case 'remove':
        remove(request, place, io);
        break;
      default:
        throw new CommandRefusal(exitCodes.usage, 'say install or remove');
    }
    return Promise.resolve(exitCodes.ok);
  },
};

/** This program as it was started now, for the configuration, which has to be good. */
function planOf({ options }: Request, argument: string | undefined, io: CommandIo): ServicePlan {
  const { file } = readConfig(argument, io);
  const keyFile = options['shared-key-file'] ?? io.env['OPENMESH_SHARED_KEY_FILE'];
  return {
    program: [process.execPath, ...process.execArgv, resolve(process.argv[1] ?? '')],
    configFile: file,
    sharedKeyFile: keyFile === undefined || keyFile === '' ? undefined : resolve(keyFile),
    user: options['user'] ?? 'openmesh-client',
    folder: dirname(file),
  };
}

function install({ options, json }: Request, plan: ServicePlan, place: ServicePlace, io: CommandIo): void {
  if (options['print'] !== undefined) {
    io.stdout(place.platform === 'win32' ? scheduledTask(plan) : systemdUnit(plan));
    return;
  }
  if (place.platform !== 'win32' && spawnSync('id', ['-u', plan.user]).status !== 0) {
    const make = `useradd --system --home-dir /var/lib/openmesh-client --shell /usr/sbin/nologin ${plan.user}`;
    throw new CommandRefusal(
      exitCodes.no,
      `there is no account ${plan.user}: make it (${make}), or name one by --user`,
    );
  }
  for (const step of installSteps(plan, place, options['no-start'] === undefined)) take(step);
  io.stdout(json ? '{"installed":true}\n' : 'the service is defined; "openmesh-client status" says how it is doing\n');
}

function remove({ json }: Request, place: ServicePlace, io: CommandIo): void {
  if (place.platform !== 'win32' && !existsSync(unitFile(place)))
    throw new CommandRefusal(exitCodes.no, `there is no ${unitFile(place)}`);
  for (const step of removeSteps(place)) take(step);
  io.stdout(json ? '{"removed":true}\n' : 'the service is gone; configuration, folders and journal are as they were\n');
}

const patienceMs = 120_000;

function take(step: ServiceStep): void {
  switch (step.kind) {
    case 'write':
      unlessRefused(step.path, () => writeFileSync(step.path, step.bytes, { mode: 0o644 }));
      return;
    case 'remove':
      unlessRefused(step.path, () => rmSync(step.path, { force: true }));
      return;
    case 'run': {
      const [program, ...args] = step.command;
      const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: patienceMs });
      if (status === 0 || step.mayFail === true) return;
      const why = error === undefined ? stderr.trim() : `it cannot be started (${codeOf(error)})`;
      throw new CommandRefusal(exitCodes.unavailable, `${step.command.join(' ')}: ${why}`);
    }
  }
}

function unlessRefused(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const code = codeOf(error);
    const hint = ['EACCES', 'EPERM', 'EROFS'].includes(code) ? ': are you an administrator?' : '';
    throw new CommandRefusal(exitCodes.no, `${path} cannot be changed (${code})${hint}`);
  }
}
