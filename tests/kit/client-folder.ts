import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededPassword } from './seeded-registry.ts';

export interface ClientFolderOptions {
  readonly url: string;
  readonly mailboxes: readonly string[];
  readonly password?: string;
  readonly sharedKey?: string;
  /** Elements of `<MESHConfig>` besides, and instead of, those that make tests quick. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Elements of each `<Client>`. */
  readonly mailboxSettings?: Readonly<Record<string, string>>;
}

/** Fields of a control file, as an application writes it. */
export type ControlFields = Readonly<Record<string, string>>;

/** An installation of the folder client: its configuration file and the folders of its mailboxes. */
export class ClientFolder {
  readonly home: string;
  readonly configFile: string;

  constructor(home: string, options: ClientFolderOptions) {
    this.home = home;
    this.configFile = join(home, 'meshclient.cfg');
    mkdirSync(home, { recursive: true });
    for (const id of options.mailboxes) {
      for (const folder of ['IN', 'OUT', 'SENT', 'FAILED', 'TEMP'])
        mkdirSync(join(home, id, folder), { recursive: true });
    }
    this.configure(options);
  }

  configure({
    url,
    mailboxes,
    password = seededPassword,
    sharedKey = 'kit-shared-key',
    settings,
    mailboxSettings,
  }: ClientFolderOptions): void {
    const flat = {
      PrimaryURL: url,
      AuthenticationKey: sharedKey,
      ProcessingDelay: '0',
      PickupSeconds: '1',
      PollPeriod: '1',
      BackoffSeconds: '1',
      ...settings,
    };
    const clients = mailboxes.map((id) => ({
      ClientIdentity: id,
      ClientAuthentication: password,
      InterfaceRoot: join(this.home, id),
      ...mailboxSettings,
    }));
    const xml = [
      '<MESHConfig>',
      ...elements(flat),
      ...clients.flatMap((client) => ['<Client>', ...elements(client), '</Client>']),
      '</MESHConfig>',
    ];
    writeFileSync(this.configFile, `${xml.join('\n')}\n`);
  }

  path(mailbox: string, folder: string, name = ''): string {
    return join(this.home, mailbox, folder, name);
  }

  /** Names of the files an application sees in a folder, in order. */
  list(mailbox: string, folder: string): readonly string[] {
    return readdirSync(this.path(mailbox, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  }

  read(mailbox: string, folder: string, name: string): Buffer {
    return readFileSync(this.path(mailbox, folder, name));
  }

  remove(mailbox: string, folder: string, name: string): void {
    rmSync(this.path(mailbox, folder, name));
  }

  /** Puts a pair into OUT as careful senders do: written elsewhere, data moved first. */
  drop(mailbox: string, base: string, bytes: Uint8Array | string, fields: ControlFields): void {
    this.#move(mailbox, `${base}.dat`, bytes);
    this.dropControl(mailbox, base, fields);
  }

  dropControl(mailbox: string, base: string, fields: ControlFields): void {
    const standard = {
      Version: '1.0',
      AddressType: 'DTS',
      MessageType: 'Data',
      From_DTS: mailbox,
      WorkflowId: 'KIT_WORKFLOW',
    };
    this.#move(
      mailbox,
      `${base}.ctl`,
      ['<DTSControl>', ...elements({ ...standard, ...fields }), '</DTSControl>'].join('\n'),
    );
  }

  #move(mailbox: string, name: string, bytes: Uint8Array | string): void {
    // Of a name of its own: one made of `name` might be too long.
    const aside = this.path(mailbox, 'OUT', '.drop.tmp');
    writeFileSync(aside, bytes);
    renameSync(aside, this.path(mailbox, 'OUT', name));
  }
}

function elements(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).map(
    ([name, value]) => `<${name}>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${name}>`,
  );
}

/** The value of an element of a control file, read as integrators do it: by a regular expression. */
export function elementOf(control: Buffer | string, name: string): string | undefined {
  return new RegExp(`<${name}>(.*?)</${name}>`).exec(control.toString())?.[1];
}
