import { join } from 'node:path';
import {
  createLog,
  FixtureFault,
  LedgerServed,
  loadConfig,
  openDestination,
  serveUntilStopped,
  startProblem,
} from '@openmesh/exchange';
import { announce, callsToTry, describeRunning, shownMailboxes } from './announce.ts';
import { composeHooks, composeSandbox } from './compose-sandbox.ts';
import { issueClientCertificates, prepareServerCertificate } from './prepare-certificates.ts';
import { CannotStart, type Home, prepareHome } from './prepare-folders.ts';
import { type Arguments, help, readArguments } from './read-arguments.ts';
import { startStandIns } from './stand-ins/start-stand-ins.ts';
import {
  readSandboxSettings,
  type SandboxSettings,
  type SettingProblem,
  translateEnvironment,
} from './translate-environment.ts';

export interface SandboxIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const exitCodes = { notStarted: 1, usage: 64, config: 78 } as const;

/** Runs the sandbox until it is told to stop. Resolves to the exit code of the process. */
export async function runSandbox(args: readonly string[], io: SandboxIo): Promise<number> {
  const read = readArguments(args);
  if (read === 'help') {
    io.stdout(help);
    return 0;
  }
  if ('problem' in read) {
    io.stderr(`openmesh-sandbox: ${read.problem}; see --help\n`);
    return exitCodes.usage;
  }
  const { settings, problems } = readSandboxSettings(io.env, read);
  if (problems.length > 0) return refuse(io, problems);
  try {
    const home = await prepareHome(settings);
    try {
      return await serveWithStandIns(settings, read, home, io);
    } finally {
      await home.remove();
    }
  } catch (error) {
    return failure(error, io);
  }
}

/** The services that the exchange asks run beside it, for as long as it does. */
async function serveWithStandIns(
  settings: SandboxSettings,
  args: Arguments,
  home: Home,
  io: SandboxIo,
): Promise<number> {
  if (!settings.standIns) return serve(settings, args, home, io, {});
  const standIns = await startStandIns({ folder: join(home.folder, 'stand-ins') });
  try {
    return await serve(settings, args, home, io, standIns.settings);
  } finally {
    await standIns.close();
  }
}

async function serve(
  settings: SandboxSettings,
  args: Arguments,
  home: Home,
  io: SandboxIo,
  standIns: Readonly<Record<string, string>>,
): Promise<number> {
  const tlsFolder = join(home.folder, 'tls');
  if (settings.makesCertificate) await prepareServerCertificate(tlsFolder);
  const { values, origins } = translateEnvironment(io.env, args, {
    home: home.folder,
    makesCertificate: settings.makesCertificate,
    standIns,
  });
  const loaded = loadConfig(values);
  if (!loaded.ok) {
    return refuse(
      io,
      loaded.problems.map(({ name, problem }) => ({ name: origins[name] ?? name, problem })),
    );
  }
  for (const { name, problem } of loaded.warnings) io.stderr(`warning: ${name} ${problem}\n`);
  const { config } = loaded;
  // Standard output is for the person who started it.
  const log = createLog(config.log, openDestination(2));
  const { close, ...hooks } = await composeHooks(settings, log);
  const stopWatching = io.env['npm_lifecycle_event'] === undefined ? () => undefined : stopWithStarter();
  try {
    return await serveUntilStopped({
      config,
      log,
      ...composeSandbox(settings, home.folder),
      ...hooks,
      async ready(running) {
        const mutual = config.machines.tls.mode === 'mutual' && settings.makesCertificate;
        const odsCodes = [...new Set(shownMailboxes(running.rooms).map(({ odsCode }) => odsCode))];
        const announcement = describeRunning(running, {
          storeMode: settings.storeMode,
          dataFolder: settings.dataFolder,
          authorityFile: settings.makesCertificate ? join(tlsFolder, 'ca.pem') : undefined,
          clients: mutual ? await issueClientCertificates(tlsFolder, odsCodes) : [],
        });
        io.stdout(
          args.json ? `${JSON.stringify({ ...announcement, ...callsToTry(announcement) })}\n` : announce(announcement),
        );
      },
    });
  } finally {
    stopWatching();
    await close();
  }
}

const starterPollMs = 500;

/**
 * npm starts us through a shell that does not pass signals on: when it is killed, nobody would stop us. Returns how to
 * stop looking.
 */
function stopWithStarter(): () => void {
  const starter = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === starter) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, starterPollMs).unref();
  return () => clearInterval(timer);
}

function refuse(io: SandboxIo, problems: readonly SettingProblem[]): number {
  const lines = problems.map(({ name, problem }) => `\n  ${name} ${problem}`).join('');
  io.stderr(`openmesh-sandbox: the settings are not good; put right and try again:${lines}\n`);
  return exitCodes.config;
}

/** A sentence for what a person can mend; anything else is a defect and passes. */
function failure(error: unknown, io: SandboxIo): number {
  if (error instanceof CannotStart || error instanceof FixtureFault) {
    io.stderr(`openmesh-sandbox: ${error.message}\n`);
    return exitCodes.config;
  }
  if (error instanceof LedgerServed) {
    io.stderr(
      'openmesh-sandbox: another sandbox runs on this folder: stop it, or name another in MAILBOXES_DATA_DIR.\n',
    );
    return exitCodes.notStarted;
  }
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    const { port } = error as { port?: unknown };
    const problem = code === 'EACCES' ? 'may not be opened by this user' : 'is in use';
    io.stderr(`openmesh-sandbox: port ${String(port)} ${problem}: choose another with --port.\n`);
    return exitCodes.notStarted;
  }
  const problem = startProblem(error);
  if (problem === undefined) throw error;
  io.stderr(`openmesh-sandbox: it could not start: ${problem}\n`);
  return exitCodes.notStarted;
}
