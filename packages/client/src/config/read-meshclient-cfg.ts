import { decodeText } from '../xml/decode-text.ts';
import { readXml, type XmlElement, XmlFault } from '../xml/read-xml.ts';
import { ConfigFault, type ConfigProblem, type RawConfig, type RawMailbox, type RawSetting } from './raw-settings.ts';
import { mailboxSettings, processSettings, type Setting } from './settings.ts';

type Table = Readonly<Record<string, Setting<unknown>>>;

/**
 * Reads a `meshclient.cfg` as the Java client's installer leaves it: flat elements of `<MESHConfig>` and a `<Client>`
 * for each mailbox. Names are matched whatever their case, unknown ones give a warning. Throws a ConfigFault.
 */
export function readMeshclientCfg(file: string, bytes: Uint8Array): RawConfig {
  const { text, guessed } = decodeText(bytes);
  const root = parse(file, text);
  if (root.name.toLowerCase() !== 'meshconfig') {
    throw new ConfigFault([{ file, line: root.line, setting: '', problem: 'does not begin with <MESHConfig>' }]);
  }
  const warnings: ConfigProblem[] = [];
  if (guessed) {
    const problem =
      'is not UTF-8 and was read as windows-1252; save it as UTF-8, or a password with a £ may be misread';
    warnings.push({ file, line: 1, setting: '', problem });
  }
  const clients = root.children.filter(({ name }) => name.toLowerCase() === 'client');
  const flat = root.children.filter((child) => !clients.includes(child));
  return {
    file,
    format: 'meshclient.cfg',
    settings: readElements({ file, warnings }, flat, processSettings),
    mailboxes: clients.map(
      (client): RawMailbox => ({
        line: client.line,
        settings: readElements({ file, warnings }, client.children, mailboxSettings),
      }),
    ),
    warnings,
  };
}

function parse(file: string, text: string): XmlElement {
  try {
    return readXml(text);
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    throw new ConfigFault([{ file, line: error.line, setting: '', problem: error.problem }]);
  }
}

function readElements(
  { file, warnings }: { readonly file: string; readonly warnings: ConfigProblem[] },
  elements: readonly XmlElement[],
  table: Table,
): ReadonlyMap<string, RawSetting> {
  const names = new Map(Object.entries(table).map(([name, { cfg }]) => [cfg.toLowerCase(), name]));
  const found = new Map<string, RawSetting>();
  for (const { name: spelt, line, text } of elements) {
    const name = names.get(spelt.toLowerCase());
    if (name === undefined) {
      warnings.push({ file, line, setting: spelt, problem: 'is no setting this client knows, and is ignored' });
      continue;
    }
    if (found.has(name)) throw new ConfigFault([{ file, line, setting: spelt, problem: 'is there twice' }]);
    // An installer leaves elements empty for what was not asked; that is as good as their absence.
    if (text !== '') found.set(name, { spelt, text, line });
  }
  return found;
}
