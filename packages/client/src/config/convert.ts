import { type RawConfig, type RawSetting } from './raw-settings.ts';
import { mailboxSettings, ownName, processSettings, type Setting } from './settings.ts';

type Table = Readonly<Record<string, Setting<unknown>>>;

/** Our own format with the same settings; what the file leaves to its default stays left out. */
export function toOwnFormat(raw: RawConfig): string {
  const lines = ['# Configuration of openmesh-client: docs/operate/client.md lists every setting.'];
  for (const [name, { text }] of ordered(raw.settings, processSettings))
    lines.push(`${own(processSettings, name)}: ${scalar(text)}`);
  lines.push('', 'mailboxes:');
  for (const { settings } of raw.mailboxes) {
    ordered(settings, mailboxSettings).forEach(([name, { text }], index) => {
      lines.push(`${index === 0 ? '  - ' : '    '}${own(mailboxSettings, name)}: ${scalar(text)}`);
    });
  }
  return `${lines.join('\n')}\n`;
}

/** A `meshclient.cfg` with the same settings, for the way back to the Java client, which ignores what it does not know. */
export function toMeshclientCfg(raw: RawConfig): string {
  const lines = ['<?xml version="1.0"?>', '<MESHConfig>'];
  for (const [name, { text }] of ordered(raw.settings, processSettings)) {
    lines.push(`    ${element(processSettings, name, text)}`);
  }
  for (const { settings } of raw.mailboxes) {
    lines.push('    <Client>');
    for (const [name, { text }] of ordered(settings, mailboxSettings)) {
      lines.push(`        ${element(mailboxSettings, name, text)}`);
    }
    lines.push('    </Client>');
  }
  lines.push('</MESHConfig>', '');
  return lines.join('\n');
}

function ordered(settings: ReadonlyMap<string, RawSetting>, table: Table): readonly (readonly [string, RawSetting])[] {
  return Object.keys(table).flatMap((name) => {
    const setting = settings.get(name);
    return setting === undefined ? [] : [[name, setting] as const];
  });
}

/** Single quotes keep backslashes and everything else as they are; only a quote itself is doubled. */
function scalar(text: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

function own(table: Table, name: string): string {
  const setting = table[name];
  return setting === undefined ? name : ownName(name, setting);
}

/** One element of a `meshclient.cfg`. */
export function element(table: Table, name: string, text: string): string {
  const cfg = table[name]?.cfg ?? name;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<${cfg}>${escaped}</${cfg}>`;
}
