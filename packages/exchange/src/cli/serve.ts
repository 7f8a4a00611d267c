import { BodyFault } from '../store/bodies.ts';
import { exitCodes } from './command.ts';
import { CommandRefusal, defineCommand } from './define-command.ts';
import { goodConfig } from './good-config.ts';
import { startProblem } from './start-problem.ts';

/** Runs the exchange in the foreground until a signal stops it. */
export const serveCommand = defineCommand({
  path: 'serve',
  summary: 'run the exchange until it is told to stop',
  about:
    'Takes its settings from OPENMESH_* variables (see check-config), writes its log to standard output, says on ' +
    'standard error when it is ready, and stops on SIGTERM or SIGINT after finishing what is in flight.',
  positionals: [],
  options: {},
  exits: {
    unavailable: 'the database or the object store cannot be reached, or a disk is full',
    config: 'the settings are not good, the object store refuses them, or the database may lose what it answers',
    failed: 'it could not start, and says why',
  },
  async run(_request, io) {
    const { config, warnings } = goodConfig(io.env);
    for (const { name, problem } of warnings) io.stderr(`warning: ${name} ${problem}\n`);
    // Loaded here: the admin commands have no use for the whole server.
    const { serveUntilStopped } = await import('../main.ts');
    const code = await serveUntilStopped({
      config,
      ready({ machinesPort, operatorsPort }, { machines, operators }) {
        const scheme = machines.tls.mode === 'off' ? 'http' : 'https';
        io.stderr(
          `ready machines=${scheme}://${bracket(machines.host)}:${machinesPort} ` +
            `operators=http://${bracket(operators.host)}:${operatorsPort}\n`,
        );
      },
    }).catch((error: unknown) => {
      if (error instanceof BodyFault && error.kind === 'disk-full') {
        throw new CommandRefusal(exitCodes.unavailable, `${error.message}: free space on the disk of OPENMESH_BODIES`);
      }
      const problem = startProblem(error);
      throw problem === undefined ? error : new CommandRefusal(exitCodes.failed, `it could not start: ${problem}`);
    });
    return code as (typeof exitCodes)[keyof typeof exitCodes];
  },
});

function bracket(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
