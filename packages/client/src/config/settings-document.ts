import { mailboxSettings, ownName, processSettings, type Setting } from './settings.ts';

type Table = Readonly<Record<string, Setting<unknown>>>;

/** The tables of every setting, for docs/operate/client.md, which a test compares with this. */
export function settingsDocument(): string {
  return [
    '### Of the process',
    '',
    ...table(processSettings),
    '',
    '### Of each mailbox',
    '',
    ...table(mailboxSettings),
    '',
  ].join('\n');
}

/** What nobody outside knows of the Java client, for docs/operate/client-compatibility.md. */
export function unknownsDocument(): string {
  const all = Object.entries<Setting<unknown>>({ ...processSettings, ...mailboxSettings } as Table);
  const rows = all.flatMap(([name, setting]) => {
    const { cfg, standard, unknown } = setting;
    const standing = standard === undefined ? '–' : `\`${standard}\``;
    return unknown === undefined ? [] : [`| ${unknown} | \`${cfg}\`, \`${ownName(name, setting)}\` | ${standing} |`];
  });
  return [
    '| Not known | Setting, in `meshclient.cfg` and in our own file | Default |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function table(settings: Table): readonly string[] {
  const rows = Object.entries(settings).map(([name, setting]) => {
    const { cfg, kind, standard, help } = setting;
    const standing = standard === undefined ? '–' : `\`${standard}\``;
    return `| \`${cfg}\` | \`${ownName(name, setting)}\` | ${standing} | ${kind.limits} | ${help} |`;
  });
  return ['| `meshclient.cfg` | Our own file | Default | Permitted | What it does |', '|---|---|---|---|---|', ...rows];
}
