import { parseArgs } from 'node:util';
import { formatCommonName } from '../http/auth/certificate-subject.ts';
import { type Command, type CommandIo, type ExitCode, exitCodes } from './command.ts';
import { createDevAuthority, defaultDays, type IssuedFiles } from './dev-ca/authority.ts';
import { certificatePaths, FolderFault, readPair } from './dev-ca/certificate-folder.ts';

const defaultFolder = './dev-ca';
const defaultClient: ClientName = { odsCode: 'X26', localId: 'SERVER001' };
const daysMax = 3650;
const clientsMax = 1000;
const serverName = /^(?=.{1,253}$)[A-Za-z0-9*]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/;

const help = `openmesh-exchange dev-ca [options]

Makes a throw-away certificate authority, a server certificate and client certificates, so that mutual TLS works on a
laptop in a minute. Not for real traffic: the key of the authority lies beside the certificates.

  --folder DIR           where the files go (default ${defaultFolder}); made when missing, readable by its owner only
  --client ODS:LOCALID   a client certificate for LOCALID.ODS.api.mesh-client.nhs.uk; repeatable
                         (default ${defaultClient.odsCode}:${defaultClient.localId}, unless it is there)
  --server-name NAME     a DNS name or address the server certificate shall have beside localhost, 127.0.0.1 and ::1;
                         repeatable
  --days N               how long the certificates are valid, 1 to ${daysMax} (default ${defaultDays})
  --force                replace the server certificate and the clients named; never the authority
  --json                 print one JSON object instead of text
  --help                 print this

Files: ca.pem, ca-key.pem, server.pem, server-key.pem, client-ODS-LOCALID.pem, client-ODS-LOCALID-key.pem.
A folder used before keeps its authority, which issues what is still missing.

Exit codes: 0 done, 64 wrong usage, 65 a value is not acceptable, 73 a file exists or cannot be created,
78 the files already in the folder cannot be used.
`;

interface ClientName {
  readonly odsCode: string;
  readonly localId: string;
}

interface Request {
  readonly folder: string;
  /** Empty when none was named: then the default one is made unless it is there. */
  readonly clients: readonly ClientName[];
  readonly serverNames: readonly string[];
  readonly days: number;
  readonly force: boolean;
  readonly json: boolean;
}

interface Report {
  readonly authority: { readonly certificateFile: string; readonly made: boolean };
  readonly server: IssuedFiles;
  readonly clients: readonly (IssuedFiles & ClientName)[];
  readonly curl: string;
}

class Refusal extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Makes the throw-away certificates of mutual TLS. */
export const devCa: Command = {
  name: 'dev-ca',
  summary: 'make throw-away certificates for mutual TLS',
  help,
  async run(args: string[], io: CommandIo): Promise<number> {
    try {
      const request = readRequest(args);
      if (request === 'help') {
        io.stdout(help);
        return exitCodes.ok;
      }
      const report = await makeCertificates(request);
      io.stdout(request.json ? `${JSON.stringify(report)}\n` : describe(report));
      return exitCodes.ok;
    } catch (error) {
      const refusal = toRefusal(error);
      io.stderr(`openmesh-exchange dev-ca: ${refusal.message}\n`);
      return refusal.exitCode;
    }
  },
};

async function makeCertificates(request: Request): Promise<Report> {
  const { folder, days, force } = request;
  // Looked at before anything is made, so that a refusal leaves nothing half done.
  for (const { odsCode, localId } of force ? [] : request.clients) {
    const paths = certificatePaths(folder, `client-${odsCode}-${localId}`);
    if (await readPair(paths)) throw new FolderFault('exists', `${paths.certificateFile} exists already.`);
  }
  const authority = await createDevAuthority({ folder, days, now: Date.now });
  const server = await authority.server({ extraNames: request.serverNames, overwrite: force });
  const clients: (IssuedFiles & ClientName)[] = [];
  for (const name of request.clients) {
    clients.push({ ...name, ...(await authority.client({ ...name, overwrite: force })) });
  }
  if (clients.length === 0) {
    const paths = certificatePaths(folder, `client-${defaultClient.odsCode}-${defaultClient.localId}`);
    const there = await readPair(paths);
    const files = there ? { ...paths, made: false } : await authority.client(defaultClient);
    clients.push({ ...defaultClient, ...files });
  }
  const { authorityFile, made } = authority;
  return {
    authority: { certificateFile: authorityFile, made },
    server,
    clients,
    curl: curlCall(authorityFile, clients),
  };
}

function readRequest(args: string[]): Request | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      folder: { type: 'string', default: defaultFolder },
      client: { type: 'string', multiple: true, default: [] },
      'server-name': { type: 'string', multiple: true, default: [] },
      days: { type: 'string', default: String(defaultDays) },
      force: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.client.length > clientsMax) {
    throw new Refusal(exitCodes.usage, `at most ${clientsMax} clients in one call.`);
  }
  const unfit = values['server-name'].find((name) => !serverName.test(name));
  if (unfit !== undefined) throw new Refusal(exitCodes.badInput, `"${unfit}" is neither a DNS name nor an address.`);
  return {
    folder: values.folder,
    clients: values.client.map(readClient),
    serverNames: values['server-name'],
    days: readDays(values.days),
    force: values.force,
    json: values.json,
  };
}

function readClient(text: string): ClientName {
  const [odsCode, localId, ...rest] = text.split(':');
  if (odsCode === undefined || localId === undefined || rest.length > 0) {
    throw new Refusal(exitCodes.usage, `--client wants ODS:LOCALID, for example X26:SERVER001, not "${text}".`);
  }
  if (formatCommonName(localId, odsCode) === undefined) {
    throw new Refusal(
      exitCodes.badInput,
      `"${text}": an ODS code is 1 to 10 letters and digits, a local id is letters, digits, "-" and "_"; at most 40 characters together.`,
    );
  }
  return { odsCode: odsCode.toUpperCase(), localId: localId.toUpperCase() };
}

function readDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > daysMax) throw new Refusal(exitCodes.badInput, `--days wants 1 to ${daysMax}, not "${text}".`);
  return days;
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof FolderFault) {
    switch (error.kind) {
      case 'exists':
        return new Refusal(exitCodes.cannotCreate, `${error.message} Use --force to replace it.`);
      case 'cannot-create':
        return new Refusal(exitCodes.cannotCreate, error.message);
      case 'unusable':
        return new Refusal(exitCodes.config, error.message);
    }
  }
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    return new Refusal(exitCodes.usage, `${error.message} (see --help)`);
  }
  throw error;
}

function describe(report: Report): string {
  const files: [string, IssuedFiles][] = [
    ['server', report.server],
    ...report.clients.map((client): [string, IssuedFiles] => [`client ${client.odsCode}:${client.localId}`, client]),
  ];
  const lines = [
    `${report.authority.made ? 'made' : 'kept'}  authority  ${report.authority.certificateFile}`,
    ...files.map(([what, { made, certificateFile, keyFile }]) => {
      return `${made ? 'made' : 'kept'}  ${what}  ${certificateFile}  ${keyFile}`;
    }),
  ];
  return `${lines.join('\n')}\n\nTry it, with the server running under these certificates:\n\n  ${report.curl}\n`;
}

function curlCall(authorityFile: string, clients: readonly IssuedFiles[]): string {
  const [client] = clients;
  const identity = client ? ` --cert ${quote(client.certificateFile)} --key ${quote(client.keyFile)}` : '';
  return `curl --cacert ${quote(authorityFile)}${identity} https://localhost:8700/messageexchange/_ping`;
}

function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
