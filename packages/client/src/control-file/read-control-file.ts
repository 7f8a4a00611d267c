import { decodeText } from '../xml/decode-text.ts';
import { readXml, type XmlElement, XmlFault } from '../xml/read-xml.ts';
import { type ControlField, type ControlFile, controlFields, type StatusRecord } from './control-file.ts';

/** Largest control file that is read. */
export const controlFileBytesMax = 64 * 1024;

/** The file is no control file. `problem` is the end of a sentence and repeats nothing of its content. */
export class ControlFileFault extends Error {
  readonly line: number;
  readonly problem: string;
  constructor(line: number, problem: string) {
    super(`the control file, line ${line}, ${problem}`);
    this.name = 'ControlFileFault';
    this.line = line;
    this.problem = problem;
  }
}

// Spellings found in guides and in other people's libraries.
const synonyms: Readonly<Record<string, ControlField>> = {
  partneridentifier: 'PartnerId',
  todts: 'To_DTS',
  fromdts: 'From_DTS',
};
const fieldsByName = new Map<string, ControlField>([
  ...controlFields.map((field) => [field.toLowerCase(), field] as const),
  ...Object.entries(synonyms),
]);

/**
 * Reads a control file however applications write them: any order and case of the elements, any of their encodings,
 * attributes and unknown elements ignored. Throws a ControlFileFault.
 */
export function readControlFile(bytes: Uint8Array): ControlFile {
  if (bytes.length > controlFileBytesMax) throw new ControlFileFault(1, `is larger than ${controlFileBytesMax} bytes`);
  const root = parse(decodeText(bytes).text);
  if (root.name.toLowerCase() !== 'dtscontrol') throw new ControlFileFault(root.line, 'does not begin with DTSControl');
  const fields = new Map<ControlField, string>();
  let status: StatusRecord | undefined;
  for (const element of root.children) {
    const name = element.name.toLowerCase();
    if (name === 'statusrecord') {
      status = readStatus(element);
      continue;
    }
    const field = fieldsByName.get(name);
    if (field === undefined) continue;
    if (fields.has(field)) throw new ControlFileFault(element.line, `has ${field} twice`);
    fields.set(field, element.text);
  }
  return status === undefined ? { fields } : { fields, status };
}

function parse(text: string): XmlElement {
  try {
    return readXml(text);
  } catch (error) {
    if (error instanceof XmlFault) throw new ControlFileFault(error.line, error.problem);
    throw error;
  }
}

function readStatus(group: XmlElement): StatusRecord {
  const text = (name: string): string =>
    group.children.find((child) => child.name.toLowerCase() === name.toLowerCase())?.text ?? '';
  return {
    dateTime: text('DateTime'),
    event: text('Event'),
    status: text('Status'),
    statusCode: text('StatusCode'),
    description: text('Description'),
  };
}
