import { resolve } from 'node:path';
import type { Config, Rooms, RunningExchange } from '@openmesh/exchange';
import type { ClientCertificate } from './prepare-certificates.ts';

const mailboxesShownMax = 10;

/** What the sandbox says of itself when it is ready. */
export interface Announcement {
  readonly url: string;
  readonly operatorsUrl: string;
  readonly rules: Config['wireRules'];
  readonly storeMode: string;
  readonly dataFolder: string;
  readonly sharedKey: string;
  readonly mailboxes: readonly MailboxLine[];
  /** Mailboxes beyond those that are shown. */
  readonly more: number;
  /** The authority to trust; undefined without TLS, or when the certificate was given. */
  readonly authorityFile: string | undefined;
  readonly clients: readonly ClientCertificate[];
  /** The command of operators with this sandbox's settings before it, for bash; undefined where its ledger is no file. */
  readonly operatorCommand: string | undefined;
}

export interface MailboxLine {
  readonly mailboxId: string;
  readonly name: string;
  readonly odsCode: string;
  readonly password: string;
}

export function describeRunning(
  { rooms, machinesPort, operatorsPort }: RunningExchange,
  extra: Pick<Announcement, 'storeMode' | 'dataFolder' | 'authorityFile' | 'clients'>,
): Announcement {
  const { config } = rooms;
  const { tls } = config.machines;
  const mailboxes = shownMailboxes(rooms);
  return {
    ...extra,
    url: `${tls.mode === 'off' ? 'http' : 'https'}://localhost:${machinesPort}`,
    operatorsUrl: `http://localhost:${operatorsPort}`,
    rules: config.wireRules,
    sharedKey: config.tokens.sharedKeys[0]?.reveal() ?? '',
    mailboxes,
    operatorCommand: operatorCommandOf(config),
    more: rooms.registry.current().mailboxes().length - mailboxes.length,
  };
}

/** Settings before the command and not exported: the next sandbox of the same shell would take them for its own. */
function operatorCommandOf({ ledger, secretKey, tokens }: Config): string | undefined {
  if (ledger.engine !== 'sqlite') return undefined;
  const settings = {
    OPENMESH_PROFILE: 'sandbox',
    OPENMESH_TLS: 'off',
    OPENMESH_SHARED_KEY: tokens.sharedKeys[0]?.reveal() ?? 'TestKey',
    OPENMESH_LEDGER: `sqlite:${resolve(ledger.path)}`,
    OPENMESH_SECRET_KEY_FILE: resolve(secretKey.file),
  };
  const given = Object.entries(settings).map(([name, value]) => `${name}=${quote(value)}`);
  return `${given.join(' ')} npx openmesh-exchange`;
}

/** The first mailboxes that anybody can sign in to, in order of id. */
export function shownMailboxes({ registry }: Pick<Rooms, 'registry'>): readonly MailboxLine[] {
  const snapshot = registry.current();
  const shown: MailboxLine[] = [];
  for (const { mailboxId, name, odsCode, state } of snapshot.mailboxes()) {
    if (shown.length === mailboxesShownMax) break;
    const password = snapshot.passwords(mailboxId, Date.now())[0];
    if (state === 'active' && password !== undefined) shown.push({ mailboxId, name, odsCode, password });
  }
  return shown;
}

/** Text for bash, so that what stands in a password is never read as anything else. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Lines for bash with curl and openssl: first the functions, then one call a line, each of which works as it stands. */
export function callsToTry(a: Announcement): { readonly functions: string; readonly calls: readonly string[] } {
  const [sender, recipient = sender] = a.mailboxes;
  if (sender === undefined || recipient === undefined) return { functions: '', calls: [] };
  const nonce = 'n=$(openssl rand -hex 16) t=$(date -u +%Y%m%d%H%M)';
  const signed = `printf %s "$1:$n:0:$2:$t" | openssl dgst -sha256 -hmac ${quote(a.sharedKey)} | sed 's/.*= *//'`;
  const token = `token() { local n t; ${nonce}; echo "Authorization: NHSMESH $1:$n:0:$t:$(${signed})"; }`;
  const trust = a.authorityFile === undefined ? '-k' : `--cacert ${quote(a.authorityFile)}`;
  const call = ({ mailboxId, password, odsCode }: MailboxLine, path: string, options = ''): string => {
    const client = a.clients.find((candidate) => candidate.odsCode === odsCode) ?? a.clients[0];
    const identity =
      client === undefined ? '' : ` --cert ${quote(client.certificateFile)} --key ${quote(client.keyFile)}`;
    const secure = a.url.startsWith('https:') ? ` ${trust}${identity}` : '';
    const header = `-H "$(token ${quote(mailboxId)} ${quote(password)})"`;
    return `curl -sS${secure} ${header}${options} "${a.url}/messageexchange/${mailboxId}/${path}"`;
  };
  const send = ` -H ${quote(`Mex-To: ${recipient.mailboxId}`)} -H 'Mex-WorkflowID: TEST_WORKFLOW' -d 'Hello, MESH'`;
  const list = call(recipient, 'inbox');
  const oldest = `$(${list} | grep -oE '[0-9]{20}_[0-9A-F]{6}' | head -n 1)`;
  return { functions: token, calls: [call(sender, 'outbox', send), list, call(recipient, `inbox/${oldest}`)] };
}

export function announce(a: Announcement): string {
  const { functions, calls } = callsToTry(a);
  const width = Math.max(0, ...a.mailboxes.map(({ mailboxId }) => mailboxId.length));
  const lines = a.mailboxes.map(
    ({ mailboxId, name, odsCode, password }) => `  ${mailboxId.padEnd(width)}  ${password}  ${name}, ${odsCode}`,
  );
  const [send, list, download] = calls;
  const kept = a.storeMode === 'file' ? `kept in ${a.dataFolder}` : `nothing is kept (${a.storeMode} store)`;
  return [
    `ready ${a.url} (${a.rules === 'live' ? 'the rules of the true MESH' : 'sandbox rules'}; ${kept})`,
    '',
    `Mailboxes and passwords (shared key ${a.sharedKey}):`,
    ...lines,
    ...(a.more > 0 ? [`  and ${a.more} more`] : []),
    ...(a.authorityFile === undefined ? [] : ['', `Authority to trust: ${a.authorityFile}`]),
    ...a.clients.map(
      ({ odsCode, certificateFile, keyFile }) => `Client certificate of ${odsCode}: ${certificateFile} ${keyFile}`,
    ),
    ...(a.operatorCommand === undefined
      ? []
      : ['', `Why was it refused? Or "message show ID": ${a.operatorCommand} refusals`]),
    ...(send === undefined ? [] : ['', 'To try it, paste into bash:', '', functions]),
    ...(send === undefined ? [] : ['', '# send', send, '# list', list, '# download', download]),
    '',
    `Metrics and readiness: ${a.operatorsUrl}   Requests as they come: OPENMESH_LOG_LEVEL=debug   Stop: Ctrl-C`,
    '',
  ].join('\n');
}
