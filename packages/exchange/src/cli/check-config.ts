import { parseArgs } from 'node:util';
import { checkLedger } from '../compose/check-ledger.ts';
import { checkTls } from '../compose/check-tls.ts';
import { type ConfigProblem, loadConfig } from '../config/config.ts';
import { describeConfig, describeSettings } from '../config/describe-config.ts';
import { renderSettingsDocument } from '../config/settings-document.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';

const help = `usage: openmesh-exchange check-config [--json | --markdown]

Reads the settings as "serve" would and says whether it would start with them. Starts and creates nothing. The
certificate files are held against each other. A PostgreSQL is asked whether it keeps what it answers; that it cannot be
reached now is a warning.

  --json       print what is in force, grouped, with secrets masked
  --markdown   print the table of all settings (docs/config.md)
  --help       this text

Exit status: 0 the settings are good, 64 wrong usage, 78 the settings are not good.
`;

export const checkConfig: Command = {
  name: 'check-config',
  summary: 'say whether the settings are good, without starting',
  help,
  run: runCheck,
};

async function runCheck(args: readonly string[], io: CommandIo): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    io.stderr(help);
    return exitCodes.usage;
  }
  if (options.help) io.stdout(help);
  else if (options.markdown) io.stdout(renderSettingsDocument());
  else return judge(options.json, io);
  return exitCodes.ok;
}

function readOptions(args: readonly string[]): { json: boolean; markdown: boolean; help: boolean } | undefined {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({ args: [...args], options: { json: flag, markdown: flag, help: flag } });
    return values.json && values.markdown ? undefined : values;
  } catch {
    // The only thing that parseArgs throws for is an argument it does not know; the usage text says which exist.
    return undefined;
  }
}

async function judge(json: boolean, io: CommandIo): Promise<number> {
  const loaded = loadConfig(io.env);
  if (!loaded.ok) return refuse(json, loaded.problems, io);
  const { config } = loaded;
  const findings = await checkLedger(config);
  const found = (refused: boolean): readonly ConfigProblem[] =>
    findings
      .filter((finding) => finding.refused === refused)
      .map(({ text }) => ({ name: 'OPENMESH_LEDGER', problem: `names a database that cannot be used: ${text}` }));
  const refused = [...(await checkTls(config, Date.now())), ...found(true)];
  if (refused.length > 0) return refuse(json, refused, io);
  const warnings = [...loaded.warnings, ...found(false)];
  const inForce = describeSettings(io.env);
  if (json) {
    printJson(io, { ok: true, warnings, config: describeConfig(config), settings: inForce });
    return exitCodes.ok;
  }
  io.stderr(sentences('warning: ', warnings));
  for (const { name, value, source } of inForce) {
    if (value !== undefined) io.stdout(`${name}=${value}${source === 'default' ? '  (default)' : ''}\n`);
  }
  return exitCodes.ok;
}

function refuse(json: boolean, problems: readonly ConfigProblem[], io: CommandIo): number {
  if (json) printJson(io, { ok: false, problems });
  else io.stderr(sentences('', problems));
  return exitCodes.config;
}

function sentences(prefix: string, problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ name, problem }) => `${prefix}${name} ${problem}${problem.endsWith('?') ? '' : '.'}\n`)
    .join('');
}

function printJson(io: CommandIo, value: unknown): void {
  io.stdout(`${JSON.stringify(value, undefined, 2)}\n`);
}
