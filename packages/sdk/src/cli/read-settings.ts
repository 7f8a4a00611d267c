import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientCertificate, MeshClientOptions, TlsOptions } from '../options.ts';
import { sdkVersion } from '../version.ts';
import type { CommandIo, Request } from './command.ts';
import { CommandRefusal, exitCodes } from './exit-codes.ts';

/** A secret file holds a line; a certificate some kilobytes. What is larger is another file. */
const fileBytesMax = 1024 * 1024;

/** What `npm start` makes, for whoever tries things out. */
const sandbox = { url: 'https://localhost:8700', mailbox: 'X26ABC1', password: 'password', sharedKey: 'TestKey' };
const sandboxFolderDefault = '/tmp/mesh_store';

/** The options of a client, from the command line, else the environment. Throws a refusal that names what is missing. */
export function readSettings({ options }: Pick<Request, 'options'>, io: CommandIo): MeshClientOptions {
  const isSandbox = options['sandbox'] !== undefined;
  const given = (name: string): string | undefined => options[name] || io.env[variableOf(name)] || undefined;
  const needed = (name: string, ofSandbox: string): string => {
    const value = given(name) ?? (isSandbox ? ofSandbox : undefined);
    if (value === undefined) throw config(`--${name} or ${variableOf(name)} is missing`);
    return value;
  };
  const secret = (name: string, ofSandbox: string): string => {
    const value = readSecret(name, given, io) ?? (isSandbox ? ofSandbox : undefined);
    if (value === undefined)
      throw config(`--${name}-file, ${variableOf(`${name}-file`)} or ${variableOf(name)} is missing`);
    return value;
  };
  return {
    url: needed('url', sandbox.url),
    mailboxId: needed('mailbox', sandbox.mailbox),
    password: secret('password', sandbox.password),
    sharedKey: secret('shared-key', sandbox.sharedKey),
    proxy: given('proxy'),
    tls: readTlsOptions(given, io, isSandbox),
    application: `mesh/${sdkVersion}`,
    log: ({ level, text }) => {
      if (level === 'warning') io.stderr(`warning: ${text}\n`);
    },
    surroundings: io.surroundings,
  };
}

type Given = (name: string) => string | undefined;

function readTlsOptions(given: Given, io: CommandIo, isSandbox: boolean): TlsOptions {
  const authorityFile = given('ca-file') ?? (isSandbox ? sandboxAuthority(io) : undefined);
  const any = 'dangerously-accept-any-server-certificate';
  // Node's own way to say "yes" is any text; here it is one word, so that nobody switches the check off by "no".
  const acceptsAny = given(any) === 'yes' || given(any) === '' || io.env[variableOf(any)] === 'yes';
  return {
    certificate: readCertificate(given, io),
    authorities: authorityFile === undefined ? undefined : [readFile(authorityFile, 'ca-file')],
    serverName: given('server-name'),
    dangerouslyAcceptAnyServerCertificate: acceptsAny,
  };
}

function readCertificate(given: Given, io: CommandIo): ClientCertificate | undefined {
  const passphrase = readSecret('passphrase', given, io);
  const pkcs12File = given('pkcs12-file');
  const certificateFile = given('cert-file');
  const keyFile = given('key-file');
  if (pkcs12File !== undefined) {
    if (certificateFile !== undefined) throw config('--pkcs12-file and --cert-file exclude each other');
    return { kind: 'pkcs12', bytes: readFile(pkcs12File, 'pkcs12-file'), passphrase };
  }
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined || keyFile === undefined) throw config('--cert-file and --key-file go together');
  const certificate = readFile(certificateFile, 'cert-file');
  return { kind: 'pem', certificate, key: readFile(keyFile, 'key-file'), passphrase };
}

/** From a file, so that it shows in no list of processes, else from the environment. One line end at its end is none of it. */
function readSecret(name: string, given: Given, io: CommandIo): string | undefined {
  const file = given(`${name}-file`);
  if (file === undefined) return io.env[variableOf(name)] || undefined;
  const secret = readFile(file, `${name}-file`)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (secret === '') throw config(`the file of --${name}-file is empty`);
  return secret;
}

function readFile(path: string, option: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= fileBytesMax) return bytes;
  } catch (error) {
    throw config(`the file of --${option} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  throw config(`the file of --${option} is too large to be one`);
}

/** The authority that the sandbox made for itself; without it the certificate check says what is missing. */
function sandboxAuthority({ env }: CommandIo): string | undefined {
  const file = join(env['MAILBOXES_DATA_DIR'] || sandboxFolderDefault, '.openmesh/tls/ca.pem');
  return existsSync(file) ? file : undefined;
}

/** `password-file` is `MESH_PASSWORD_FILE`. */
export function variableOf(option: string): string {
  return `MESH_${option.toUpperCase().replaceAll('-', '_')}`;
}

function config(sentence: string): CommandRefusal {
  return new CommandRefusal(
    exitCodes.config,
    `${sentence}; "mesh --help" lists the settings, "mesh doctor" tries them`,
  );
}
