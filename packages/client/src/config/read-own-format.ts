import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { nearestName } from './nearest-name.ts';
import { ConfigFault, type ConfigProblem, type RawConfig, type RawMailbox, type RawSetting } from './raw-settings.ts';
import { mailboxSettings, ownName, processSettings, type Setting } from './settings.ts';

/**
 * Reads our own configuration file: YAML with the settings at the top level and a list `mailboxes`. An unknown name is
 * refused, since there is nobody but a typing error to have written it. Throws a ConfigFault.
 */
export function readOwnFormat(file: string, bytes: Uint8Array): RawConfig {
  const reader = new OwnFormatReader(file, Buffer.from(bytes).toString('utf8'));
  const config = reader.read();
  if (reader.problems.length > 0) throw new ConfigFault(reader.problems);
  return config;
}

class OwnFormatReader {
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  read(): RawConfig {
    const document = parseDocument(this.#text, {
      lineCounter: this.#lines,
      // Every value is text until the settings table has read it: `N` and `010` mean what they say.
      schema: 'failsafe',
      uniqueKeys: true,
      maxAliasCount: 0,
    } as Parameters<typeof parseDocument>[1]);
    for (const { pos, message } of document.errors)
      this.#refuse(this.#lineAt(pos[0]), '', `is not YAML: ${firstLine(message)}`);
    const root = document.contents;
    if (!isMap(root)) {
      if (this.problems.length === 0) this.#refuse(1, '', 'is not a list of settings such as "url: https://HOST"');
      return { file: this.#file, format: 'yaml', settings: new Map(), mailboxes: [], warnings: [] };
    }
    const mailboxes = root.items.find((pair) => keyOf(pair) === 'mailboxes');
    const rest = root.items.filter((pair) => pair !== mailboxes);
    return {
      file: this.#file,
      format: 'yaml',
      settings: this.#readPairs(rest, processSettings),
      mailboxes: this.#readMailboxes(mailboxes),
      warnings: [],
    };
  }

  #readMailboxes(pair: Pair | undefined): readonly RawMailbox[] {
    if (pair === undefined) return [];
    if (!isSeq(pair.value)) {
      this.#refuse(this.#lineOf(pair), 'mailboxes', 'must be a list, each item beginning with "- id: MAILBOX"');
      return [];
    }
    return pair.value.items.flatMap((item) => {
      if (!isMap(item)) {
        this.#refuse(this.#lineOf(pair), 'mailboxes', 'must be a list, each item beginning with "- id: MAILBOX"');
        return [];
      }
      const map: YAMLMap = item;
      return [{ line: this.#lineAt(map.range?.[0] ?? 0), settings: this.#readPairs(map.items, mailboxSettings) }];
    });
  }

  #readPairs(
    pairs: readonly Pair[],
    table: Readonly<Record<string, Setting<unknown>>>,
  ): ReadonlyMap<string, RawSetting> {
    const names = new Map(Object.entries(table).map(([name, setting]) => [ownName(name, setting), name]));
    const found = new Map<string, RawSetting>();
    for (const pair of pairs) {
      const spelt = keyOf(pair);
      const line = this.#lineOf(pair);
      const name = names.get(spelt);
      if (name === undefined) {
        const nearest = nearestName(spelt, [...names.keys()]);
        this.#refuse(line, spelt, `is no setting${nearest === undefined ? '' : `; did you mean ${nearest}?`}`);
        continue;
      }
      const value: unknown = isScalar(pair.value) ? pair.value.value : undefined;
      const text = typeof value === 'string' ? value.trim() : '';
      if (text === '') this.#refuse(line, spelt, 'is empty: give it a value or remove it');
      else found.set(name, { spelt, text, line });
    }
    return found;
  }

  #lineOf({ key }: Pair): number {
    return this.#lineAt((key as Node | null)?.range?.[0] ?? 0);
  }

  #lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }

  #refuse(line: number, setting: string, problem: string): void {
    this.problems.push({ file: this.#file, line, setting, problem });
  }
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : '';
}

/** The first line of the parser's message; the following lines repeat the text of the file. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
}
