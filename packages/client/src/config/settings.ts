import { choice, flag, type Kind, line, number, path, secret, serviceUrl } from './kinds.ts';

/** One setting, as every page, check and conversion knows it. */
export interface Setting<Value> {
  /** The element of `meshclient.cfg`. Those the Java client does not know are ours, and work there too. */
  readonly cfg: string;
  readonly kind: Kind<Value>;
  /** As one would write it; undefined: not set. */
  readonly standard: string | undefined;
  readonly help: string;
  /** What nobody outside knows of the Java client, where this setting is our answer to it. */
  readonly unknown?: string;
}

type Described = Pick<Setting<unknown>, 'help' | 'unknown'>;

function given<Value>(cfg: string, kind: Kind<Value>, standard: string | number, said: Described): Setting<Value> {
  return { cfg, kind, standard: String(standard), ...said };
}

function open<Value>(cfg: string, kind: Kind<Value>, said: Described): Setting<Value | undefined> {
  return { cfg, kind, standard: undefined, ...said };
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Of the whole process: elements of `<MESHConfig>`, or the top level of our own file. */
export const processSettings = {
  url: open('PrimaryURL', serviceUrl, { help: 'The service. Required.' }),
  serverName: open('ServerName', line(253), {
    help: 'The name the server’s certificate must carry, where it is not the host of the URL, such as for an IP address.',
  }),
  allowPlainHttp: given('AllowPlainHttp', flag, 'N', {
    help: 'Permits http:// to another machine: password and messages can be read on the way. Loopback needs no permission.',
  }),
  sharedKey: open('AuthenticationKey', secret(1000), {
    help: 'The shared key of the environment, which NHS England issues with a mailbox. Better kept in a file: see sharedKeyFile.',
  }),
  sharedKeyFile: open('SharedKeyFile', path, {
    help: 'A file that holds the shared key alone. OPENMESH_SHARED_KEY_FILE and the systemd credential openmesh-shared-key come first.',
  }),
  keyStorePath: open('KeyStorePath', path, {
    help: 'JKS or PKCS#12 file with the client’s key, certificate and authorities.',
  }),
  keyStorePassword: open('KeyStorePassword', secret(200), { help: 'Of the key store and of the key in it.' }),
  certificateFile: open('CertificateFile', path, { help: 'The client’s certificate as PEM, instead of a key store.' }),
  keyFile: open('KeyFile', path, { help: 'The client’s private key as PEM.' }),
  keyPassword: open('KeyPassword', secret(200), { help: 'Of the private key, where it is encrypted.' }),
  authorityFile: open('AuthorityFile', path, {
    help: 'PEM file of the authorities that may have signed the server’s certificate, besides those of the key store.',
  }),
  proxyPath: given('ProxyPath', path, 'proxy', {
    help: 'Folder of proxy.ini; the file’s existence turns the proxy on.',
    unknown: 'the keys inside proxy.ini: host, port, user and password are read in all their usual spellings',
  }),
  logPath: given('LogPath', path, 'log', { help: 'Folder of mesh.log.' }),
  logFileMebibytes: given('LogFileMebibytes', number('MiB', 1, 10_000, 1024 * 1024), 10, {
    help: 'Size at which mesh.log is put aside as mesh.log.1.',
  }),
  logFilesKept: given('LogFilesKept', number('files', 1, 1000), 10, { help: 'How many put aside are kept.' }),
  workPath: given('WorkPath', path, 'working', { help: 'Folder of the journal, the status file and the heartbeat.' }),
  signalPath: given('SignalPath', path, 'sig', {
    help: 'Folder of mexclient.sig; writing the file stops the client.',
    unknown: 'which contents of mexclient.sig count: any that is not empty stops, and the file is removed',
  }),
  pollPeriodMs: given('PollPeriod', number('minutes', 1, 1440, minuteMs), 30, {
    help: 'Between looks into the inbox. The service asks for no less than 5.',
  }),
  serverRetry: given('ServerRetry', number('attempts', 1, 100), 3, {
    help: 'Attempts inside one cycle before the service is left alone for a while.',
  }),
  backoffMs: given('BackoffSeconds', number('seconds', 1, 3600, 1000), 60, {
    help: 'Pause after a cycle that failed; twice, five and ten times that after the next ones, at most PollPeriod.',
  }),
  strictServerRetry: given('StrictServerRetry', flag, 'N', {
    help: 'Gives a pair up (TRANSFER/ERROR/06, to FAILED) after that many cycles, instead of keeping it in OUT.',
    unknown:
      'what the Java client does when its attempts are used up: a long outage must not empty a queue into FAILED',
  }),
  maxMessages: given('MaxMessages', number('messages', 1, 10_000), 100, {
    help: 'Most messages of a mailbox in one turn; the next turn follows at once while there are more.',
    unknown: 'whether it counts per mailbox, direction or cycle',
  }),
  maxConnections: given('MaxConnections', number('connections', 1, 256), 4, {
    help: 'Transfers of the whole process at one time.',
  }),
  autoUpgrade: given('AutoUpgrade', flag, 'N', { help: 'Read and ignored: this client never replaces itself.' }),
  processingDelayMs: given('ProcessingDelay', number('seconds', 0, 3600, 1000), 5, {
    help: 'How old a file must be, and how long unchanged, before it is picked up.',
    unknown: 'the default of ProcessingDelay',
  }),
  pickup: given('Pickup', choice('immediate', 'onPoll'), 'immediate', {
    help: 'Whether OUT is looked at every few seconds, or only with each poll as the Java client does.',
  }),
  pickupMs: given('PickupSeconds', number('seconds', 1, 3600, 1000), 10, { help: 'Between looks into OUT.' }),
  pairTimeoutMs: given('PairTimeoutMinutes', number('minutes', 0, 10_080, minuteMs), 10, {
    help: 'How long a control file waits for its data file, or for one that can be read, before it fails with code 02.',
    unknown: 'what becomes of a control file without data',
  }),
  controlGraceMs: given('ControlGraceSeconds', number('seconds', 0, 86_400, 1000), 60, {
    help: 'How long a control file that cannot be read may be half written, before it fails with code 01; and how long one must be gone from OUT before its pair counts as withdrawn.',
  }),
  loneDataWarnMs: given('LoneDataWarnMinutes', number('minutes', 1, 10_080, minuteMs), 60, {
    help: 'How long a data file may lie without a control file before the log says so, once. It is never touched.',
    unknown: 'what becomes of data without a control file',
  }),
  allowEmpty: given('AllowEmpty', flag, 'N', {
    help: 'Hands data files of no bytes to the service, which refuses them.',
  }),
  compressByDefault: given('CompressByDefault', flag, 'Y', {
    help: 'What an absent Compress element means.',
    unknown: 'what an absent Compress means to the Java client',
  }),
  chunkingByDefault: given('ChunkingByDefault', flag, 'N', {
    help: 'What an absent AllowChunking element means.',
    unknown: 'what an absent AllowChunking means to the Java client',
  }),
  chunkBytes: given('ChunkMegabytes', number('MB', 1, 100, 1_000_000), 20, {
    help: 'Size of a chunk before compression.',
  }),
  parallelChunks: given('ParallelChunks', number('chunks', 1, 8), 1, {
    help: 'Chunks of one message under way at a time, each with its memory. The national service asks for 1.',
  }),
  wholeBytesMax: given('WholeMessageMegabytes', number('MB', 1, 100, 1_000_000), 75, {
    help: 'Largest message, after compression, that is sent without AllowChunking.',
  }),
  messageBytesMax: given('MessageGigabytes', number('GB', 1, 100, 1_000_000_000), 50, { help: 'Largest message.' }),
  onDoubt: given('OnDoubt', choice('resend', 'hold'), 'resend', {
    help: 'What happens to a pair whose answer was lost, where the service cannot say: sent again (at worst twice), or kept for "retry".',
    unknown: 'what the Java client does when the answer to a send is lost',
  }),
  statusTime: given('StatusTime', choice('london', 'utc'), 'london', {
    help: 'Clock of the DateTime element.',
    unknown: 'whether client or server turns UTC into the time of London',
  }),
  reportDtsId: given('ReportDtsId', choice('own', 'linked'), 'own', {
    help: 'Whether DTSId of a server’s report is the report’s id or that of the message it is about.',
    unknown: 'which id the Java client writes',
  }),
  statusCodes: given('StatusCodes', choice('asSent', 'twoDigits'), 'asSent', {
    help: 'Whether EPL-15x and words stay, or become 12 and 06 for readers that know two digits only.',
  }),
  rewriteFailed: given('RewriteFailed', flag, 'Y', {
    help: 'Whether the control file in FAILED says why it failed.',
    unknown: 'whether the Java client rewrites the copy in FAILED',
  }),
  lineEnd: given('LineEnd', choice('system', 'lf', 'crlf'), 'system', {
    help: 'Line ends of written control files: CRLF on Windows and LF elsewhere, or always one of them.',
    unknown: 'line ends, and whether there is an XML declaration (we write none)',
  }),
  redactSent: given('RedactSent', flag, 'N', {
    help: 'Replaces the patient’s details of a GPPROVIDER_ address by *** in the copy in SENT.',
  }),
  metaFile: given('MetaFile', flag, 'N', {
    help: 'Writes a .meta.json beside each received pair, with the sender’s file name and content type.',
  }),
  sentKeepMs: given('SentKeepDays', number('days', 0, 36_500, dayMs), 0, {
    help: 'Removes pairs so many days after they came into SENT; 0 keeps them for ever.',
    unknown: 'what the Java client’s daily housekeeping removes: we remove nothing unless told to',
  }),
  failedKeepMs: given('FailedKeepDays', number('days', 0, 36_500, dayMs), 0, {
    help: 'Removes pairs so many days after they came into FAILED; 0 keeps them for ever.',
  }),
  createRoots: given('CreateRoots', flag, 'N', {
    help: 'Makes an InterfaceRoot that does not exist. Off, so that a missing share does not become an empty local folder.',
  }),
  metricsPort: given('MetricsPort', number('', 0, 65_535), 0, {
    help: 'Port on 127.0.0.1 for /metrics, /health and /ready; 0 opens none.',
  }),
  certificateWarnDays: given('CertificateWarnDays', number('days', 1, 1000), 90, {
    help: 'From when the log, the metrics and "status" warn that a certificate ends.',
  }),
  alertCommand: open('AlertCommand', path, {
    help: 'A program that is run with a code and a sentence when an operator has to do something; at most once an hour for each code.',
  }),
  statusMs: given('StatusSeconds', number('seconds', 1, 3600, 1000), 15, {
    help: 'How often the status file and the heartbeat are written.',
  }),
} as const satisfies Record<string, Setting<unknown>>;

/** Of one mailbox: elements of `<Client>`, or members of `mailboxes` in our own file. */
export const mailboxSettings = {
  id: open('ClientIdentity', line(100), { help: 'Mailbox id. Required.' }),
  password: open('ClientAuthentication', secret(200), { help: 'Its password. Required.' }),
  mailboxType: given('MailboxType', line(20), 'MESH', {
    help: 'Read and ignored, with a warning unless it is MESH.',
    unknown: 'which other types there were',
  }),
  root: open('InterfaceRoot', path, { help: 'Folder with IN, OUT, SENT, FAILED and TEMP. Required.' }),
  collectReport: given('CollectReport', flag, 'Y', {
    help: 'A COLLECT report in IN for each pair that was taken and sent.',
    unknown: 'names of reports the client makes: that of the pair, with _1, _2… where it is taken',
  }),
  transferReport: given('TransferReport', flag, 'N', { help: 'A TRANSFER report in IN for each pair that was sent.' }),
  pollReport: given('PollReport', flag, 'N', { help: 'A RECEIVE report in IN for each poll.' }),
  delayReport: given('DelayReport', flag, 'N', {
    help: 'A report of code 05 in IN when a transfer will be tried again, once for each pair.',
  }),
  saveSent: given('SaveSent', flag, 'Y', { help: 'Sent pairs go to SENT; otherwise they are removed.' }),
  clientLogLevel: open('ClientLogLevel', line(20), { help: 'Read and ignored.', unknown: 'the use of ClientLogLevel' }),
  inFolder: given('InFolder', line(100), 'IN', { help: 'Name of the folder, as are the next four.' }),
  outFolder: given('OutFolder', line(100), 'OUT', { help: 'Name of the folder.' }),
  sentFolder: given('SentFolder', line(100), 'SENT', { help: 'Name of the folder.' }),
  failedFolder: given('FailedFolder', line(100), 'FAILED', { help: 'Name of the folder.' }),
  tempFolder: given('TempFolder', line(100), 'TEMP', { help: 'Name of the folder.' }),
  parallelSends: given('ParallelSends', number('messages', 1, 16), 1, {
    help: 'Pairs under way at a time. More than one is faster and no longer keeps their order.',
  }),
} as const satisfies Record<string, Setting<unknown>>;

const unitWords: Readonly<Record<string, string>> = { MB: 'Megabytes', GB: 'Gigabytes', MiB: 'Mebibytes' };

/** The name of a setting in our own file: as in the program, but with the unit it is written in. */
export function ownName(name: string, { cfg, kind: { unit } }: Setting<unknown>): string {
  if (unit === undefined) return name;
  const word = unitWords[unit] ?? `${unit.charAt(0).toUpperCase()}${unit.slice(1)}`;
  const whole = cfg.endsWith(word) ? cfg : `${cfg}${word}`;
  return `${whole.charAt(0).toLowerCase()}${whole.slice(1)}`;
}

type Values<Table> = { readonly [Name in keyof Table]: Table[Name] extends Setting<infer Value> ? Value : never };
export type ProcessValues = Values<typeof processSettings>;
export type MailboxValues = Values<typeof mailboxSettings>;
