import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { decodeText } from '../xml/decode-text.ts';
import { readXml, type XmlElement } from '../xml/read-xml.ts';
import { element } from './convert.ts';
import { ConfigFault, type RawConfig } from './raw-settings.ts';
import { mailboxSettings } from './settings.ts';

/** A mailbox as it is written into a configuration: values as they stand there. */
export interface WrittenMailbox {
  readonly id: string;
  readonly password: string;
  readonly root: string;
}

/** The same file with one mailbox more, everything else as it was. Throws a ConfigFault for a file that is not UTF-8. */
export function withMailbox(raw: RawConfig, bytes: Uint8Array, mailbox: WrittenMailbox): string {
  const text = textOf(raw, bytes);
  if (raw.format === 'yaml') return addToYaml(text, mailbox);
  const root = readXml(text);
  const end = text.lastIndexOf('</', root.to);
  const lineStart = text.lastIndexOf('\n', end) + 1;
  const at = text.slice(lineStart, end).trim() === '' ? lineStart : end;
  const names = ['id', 'password', 'root'] as const;
  const lines = [
    '    <Client>',
    ...names.map((name) => `        ${element(mailboxSettings, name, mailbox[name])}`),
    '    </Client>',
  ];
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const before = at === lineStart ? '' : lineEnd;
  return `${text.slice(0, at)}${before}${lines.join(lineEnd)}${lineEnd}${text.slice(at)}`;
}

/** The same file without the mailbox of this id, which must be in it. */
export function withoutMailbox(raw: RawConfig, bytes: Uint8Array, id: string): string {
  const text = textOf(raw, bytes);
  if (raw.format === 'yaml') return removeFromYaml(text, id);
  const client = readXml(text).children.find((child) => child.name.toLowerCase() === 'client' && idOf(child) === id);
  if (client === undefined) return text;
  const from = /[ \t]*$/.exec(text.slice(0, client.from))?.index ?? client.from;
  const rest = text.slice(client.to);
  return text.slice(0, from) + rest.slice(/^[ \t]*\r?\n/.exec(rest)?.[0].length ?? 0);
}

function textOf({ file }: RawConfig, bytes: Uint8Array): string {
  const { text, encoding } = decodeText(bytes);
  if (encoding === 'utf-8') return text;
  const problem = `is ${encoding}, and this command writes UTF-8: save it as UTF-8 first`;
  throw new ConfigFault([{ file, line: 1, setting: '', problem }]);
}

function idOf({ children }: XmlElement): string | undefined {
  return children.find(({ name }) => name.toLowerCase() === 'clientidentity')?.text.toUpperCase();
}

type YamlDocument = ReturnType<typeof parseDocument>;

function openYaml(text: string): YamlDocument {
  // Every value stays the text it is, `N` and `010` among them.
  return parseDocument(text, { schema: 'failsafe' });
}

function toText(document: YamlDocument): string {
  return document.toString({ lineWidth: 0 });
}

function addToYaml(text: string, { id, password, root }: WrittenMailbox): string {
  const document = openYaml(text);
  const item = document.createNode({ id, password, root });
  if (isSeq(document.get('mailboxes'))) document.addIn(['mailboxes'], item);
  else document.set('mailboxes', document.createNode([item]));
  return toText(document);
}

function removeFromYaml(text: string, id: string): string {
  const document = openYaml(text);
  const mailboxes: unknown = document.get('mailboxes');
  const items = isSeq(mailboxes) ? mailboxes.items : [];
  const index = items.findIndex((item) => {
    const own: unknown = isMap(item) ? item.get('id', true) : undefined;
    return isScalar(own) && String(own.value).toUpperCase() === id;
  });
  if (index >= 0) document.deleteIn(['mailboxes', index]);
  return toText(document);
}
