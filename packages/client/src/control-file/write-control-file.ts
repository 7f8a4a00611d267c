import { type ControlFile, controlFields } from './control-file.ts';

const notInXml = /[\p{Cc}\ufffe\uffff]/gu;

/**
 * The bytes of a control file as the Java client writes them: two spaces, one element a line, opening and closing tag
 * even where there is nothing between, UTF-8, no declaration, no attribute. Integrators read these files with regular
 * expressions, so the shape is part of the contract. `lineEnd` is CRLF on Windows and LF elsewhere.
 */
export function writeControlFile(file: ControlFile, lineEnd: '\n' | '\r\n' = '\n'): Buffer {
  const lines = ['<DTSControl>'];
  for (const field of controlFields) {
    const value = file.fields.get(field);
    if (value !== undefined) lines.push(`  ${element(field, value)}`);
  }
  const { status } = file;
  if (status !== undefined) {
    lines.push(
      '  <StatusRecord>',
      `    ${element('DateTime', status.dateTime)}`,
      `    ${element('Event', status.event)}`,
      `    ${element('Status', status.status)}`,
      `    ${element('StatusCode', status.statusCode)}`,
      `    ${element('Description', status.description)}`,
      '  </StatusRecord>',
    );
  }
  lines.push('</DTSControl>', '');
  return Buffer.from(lines.join(lineEnd), 'utf8');
}

function element(name: string, value: string): string {
  return `<${name}>${escapeText(value)}</${name}>`;
}

/** What XML 1.0 cannot hold at all, and line breaks that would break the one-line shape, become spaces. */
function escapeText(value: string): string {
  return value
    .toWellFormed()
    .replace(notInXml, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
