/** An element with what is inside it; attributes are read past, since none of these files gives them a meaning. */
export interface XmlElement {
  /** Without a namespace prefix. */
  readonly name: string;
  /** Of its opening tag, from 1. */
  readonly line: number;
  /** Where it begins in the text, and where it ends, its closing tag included. */
  readonly from: number;
  readonly to: number;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed; that of its children is theirs. */
  readonly text: string;
}

/** The text is not the plain XML these files are made of. `problem` is the end of a sentence and repeats no value. */
export class XmlFault extends Error {
  readonly line: number;
  readonly problem: string;
  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.name = 'XmlFault';
    this.line = line;
    this.problem = problem;
  }
}

const depthMax = 8;
const elementsMax = 20_000;
const openingTag = /([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const closingTag = /(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)\s*>/y;
const namedEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

interface OpenElement {
  readonly name: string;
  readonly line: number;
  readonly from: number;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads a document of nested elements and text: comments and processing instructions are skipped, a document type is
 * refused, and with it every entity but the five of XML itself. Throws an XmlFault.
 */
export function readXml(text: string): XmlElement {
  const cursor = new Cursor(text);
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  for (;;) {
    const piece = cursor.textUntilTag();
    const inside = open.at(-1);
    if (inside !== undefined) inside.text += decodeEntities(piece, cursor);
    else if (piece.trim() !== '') throw cursor.fault('has text outside its root element');
    if (cursor.atEnd) break;
    if (cursor.skipAside()) continue;
    const characters = cursor.characterSection();
    if (characters !== undefined) {
      if (inside === undefined) throw cursor.fault('has text outside its root element');
      inside.text += characters;
      continue;
    }
    if (cursor.take('</')) {
      const closed = close(open, cursor);
      if (open.length === 0) root = closed;
      continue;
    }
    const from = cursor.at;
    cursor.take('<');
    if (root !== undefined) throw cursor.fault('has a second root element');
    elements += 1;
    if (elements > elementsMax) throw cursor.fault(`has more than ${elementsMax} elements`);
    const line = cursor.line;
    const tag = cursor.match(openingTag);
    if (tag === undefined) throw cursor.fault('has a tag that is not well formed');
    open.push({ name: tag[2] ?? '', line, from, children: [], text: '' });
    if (open.length > depthMax) throw cursor.fault(`is nested deeper than ${depthMax} elements`);
    if (tag[4] === '/') {
      const closed = finish(open, cursor);
      if (open.length === 0) root = closed;
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw new XmlFault(unclosed.line, `has <${unclosed.name}>, which is never closed`);
  if (root === undefined) throw cursor.fault('has no element');
  return root;
}

function close(open: OpenElement[], cursor: Cursor): XmlElement {
  const inside = open.at(-1);
  const tag = cursor.match(closingTag);
  if (inside === undefined || tag?.[1] !== inside.name) {
    const expected = inside === undefined ? '' : ` where </${inside.name}> is expected`;
    throw cursor.fault(`has a closing tag that does not fit${expected}`);
  }
  return finish(open, cursor);
}

/** Takes the innermost element off and hands it to the one around it. */
function finish(open: OpenElement[], { at }: Cursor): XmlElement {
  const element = open.pop();
  if (element === undefined) throw new Error('an element was finished that was not open');
  const closed = { ...element, to: at, text: element.text.trim() };
  open.at(-1)?.children.push(closed);
  return closed;
}

function decodeEntities(piece: string, cursor: Cursor): string {
  if (!piece.includes('&')) return piece;
  return piece.replace(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w{1,10})?;?/g, (whole, name: string | undefined) => {
    const character = name === undefined || !whole.endsWith(';') ? undefined : entity(name);
    if (character === undefined) throw cursor.fault('has an & that begins none of &amp; &lt; &gt; &quot; &apos;');
    return character;
  });
}

function entity(name: string): string | undefined {
  if (!name.startsWith('#')) return Object.hasOwn(namedEntities, name) ? namedEntities[name] : undefined;
  const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000) ? String.fromCodePoint(code) : undefined;
}

class Cursor {
  readonly #text: string;
  #at = 0;
  #countedTo = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get at(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  get line(): number {
    for (let at = this.#countedTo; at < this.#at; at += 1) if (this.#text.charCodeAt(at) === 10) this.#line += 1;
    this.#countedTo = this.#at;
    return this.#line;
  }

  fault(problem: string): XmlFault {
    return new XmlFault(this.line, problem);
  }

  take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  textUntilTag(): string {
    const end = this.#text.indexOf('<', this.#at);
    const piece = this.#text.slice(this.#at, end === -1 ? undefined : end);
    this.#at += piece.length;
    return piece;
  }

  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at += found[0].length;
    return found;
  }

  /** Skips a comment or processing instruction. Throws at a document type. */
  skipAside(): boolean {
    if (this.take('<!--')) return this.#skipTo('-->');
    if (this.take('<?')) return this.#skipTo('?>');
    if (/^<!DOCTYPE/i.test(this.#text.slice(this.#at, this.#at + 9))) {
      throw this.fault('has a document type (DOCTYPE), which is refused');
    }
    return false;
  }

  characterSection(): string | undefined {
    if (!this.take('<![CDATA[')) return undefined;
    const from = this.#at;
    this.#skipTo(']]>');
    return this.#text.slice(from, this.#at - 3);
  }

  #skipTo(word: string): true {
    const end = this.#text.indexOf(word, this.#at);
    if (end === -1) throw this.fault(`has something that is never closed by ${word}`);
    this.#at = end + word.length;
    return true;
  }
}
