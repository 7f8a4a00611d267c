import { readFileSync } from 'node:fs';
import { assert, constantFrom, dictionary, oneof, property, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ControlField, controlFields, fieldOf } from './control-file.ts';
import { type CopyRules, reportCopy, settledCopy, statusOf } from './copies.ts';
import { verdicts } from './outcomes.ts';
import { ControlFileFault, readControlFile } from './read-control-file.ts';
import { statusDateTime } from './status-time.ts';
import { writeControlFile } from './write-control-file.ts';

const golden = (name: string): Buffer => readFileSync(new URL(`golden/${name}.ctl`, import.meta.url));
const read = (text: string | Buffer) => readControlFile(Buffer.from(text));
const rules: CopyRules = { statusTime: 'london', statusCodes: 'asSent', reportDtsId: 'own', redactSent: false };
const facts = { mailbox: 'X26AB001', messageId: '20250227121034456686_DD8A76', gzip: true };

describe('golden control files', () => {
  it.each(['sent', 'received', 'collect', 'non-delivery'])('%s comes out byte for byte as it was read', (name) => {
    expect(writeControlFile(readControlFile(golden(name))).toString()).toBe(golden(name).toString());
  });

  it('the outbound file of the user guide becomes the copy in SENT, byte for byte', () => {
    const at = Date.parse('2025-02-27T12:10:34Z');
    const copy = settledCopy(
      readControlFile(golden('outbound')),
      facts,
      statusOf(verdicts.transferred, at, rules),
      rules,
    );
    expect(writeControlFile(copy).toString()).toBe(golden('sent').toString());
  });

  it('the outbound file becomes the collect report, byte for byte', () => {
    const at = Date.parse('2025-02-27T14:04:01Z');
    const report = reportCopy(readControlFile(golden('outbound')), facts, statusOf(verdicts.collected, at, rules));
    expect(writeControlFile(report).toString()).toBe(golden('collect').toString());
  });

  it('ends its lines as Windows does where that is wanted', () => {
    const text = writeControlFile(readControlFile(golden('sent')), '\r\n').toString();
    expect(text.replaceAll('\r\n', '\n')).toBe(golden('sent').toString());
    expect(text.split('\r\n').some((line) => line.includes('\n'))).toBe(false);
  });
});

describe('reading what applications write', () => {
  const utf16 = Buffer.concat([
    Buffer.from([0xff, 0xfe]),
    Buffer.from('<DTSControl><Subject>é</Subject></DTSControl>', 'utf16le'),
  ]);

  it.each([
    ['UTF-8 with a mark', Buffer.from('\ufeff<DTSControl><Subject>é</Subject></DTSControl>')],
    ['UTF-16 with a mark', utf16],
    ['windows-1252 without a word', Buffer.from('<DTSControl><Subject>é</Subject></DTSControl>', 'latin1')],
    [
      'a declared encoding',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><DTSControl><Subject>é</Subject></DTSControl>', 'latin1'),
    ],
  ])('takes %s', (_what, bytes) => {
    expect(fieldOf(readControlFile(bytes), 'Subject')).toBe('é');
  });

  it('takes attributes, comments, blanks inside tags, other case and the spellings of guides', () => {
    const file = read(
      '<dtscontrol Version="1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><!-- a --><VERSION >1.0</VERSION >' +
        '<LocalID> A &amp; B </LocalID><ToDTS>X</ToDTS><DataCheckSum><![CDATA[a<b]]></DataCheckSum><Whatever>1</Whatever></dtscontrol>',
    );
    expect(Object.fromEntries(file.fields)).toEqual({
      Version: '1.0',
      LocalId: 'A & B',
      To_DTS: 'X',
      DataChecksum: 'a<b',
    });
  });

  it.each([
    [
      'an external entity',
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><DTSControl><Subject>&x;</Subject></DTSControl>',
      1,
      /document type/,
    ],
    ['an unknown entity', '<DTSControl>\n<Subject>&x;</Subject></DTSControl>', 2, /&/],
    ['half a file', '<DTSControl>\n<Subject>a', 2, /never closed/],
    ['nothing', '', 1, /no element/],
    ['another root', '<Other/>', 1, /DTSControl/],
    ['an element twice', '<DTSControl><LocalId>1</LocalId>\n<LocalId>2</LocalId></DTSControl>', 2, /twice/],
    ['two roots', '<DTSControl/><DTSControl/>', 1, /second root/],
    ['crossed tags', '<DTSControl><A></DTSControl></A>', 1, /does not fit/],
    ['too deep a nest', '<a>'.repeat(20), 1, /nested deeper/],
    ['too much', ' '.repeat(70_000), 1, /larger/],
  ])('refuses %s, and says on which line', (_what, text, line, problem) => {
    const fault = (() => {
      try {
        return read(text);
      } catch (error) {
        return error;
      }
    })();
    expect(fault).toBeInstanceOf(ControlFileFault);
    expect(fault).toMatchObject({ line, message: expect.stringMatching(problem) as unknown });
  });

  it('ends with a file or a fault, whatever bytes it is given', () => {
    const bytes = oneof(
      uint8Array({ maxLength: 300 }),
      string({ unit: 'grapheme', maxLength: 100 }).map((text) => Buffer.from(`<DTSControl>${text}</DTSControl>`)),
    );
    assert(
      property(bytes, (given) => {
        try {
          readControlFile(given);
        } catch (error) {
          expect(error).toBeInstanceOf(ControlFileFault);
        }
      }),
    );
  });
});

describe('writing', () => {
  it('reads back what it wrote, one line for each element, whatever the values', () => {
    const value = string({ unit: 'binary', maxLength: 60 }).map((text) => text.trim());
    const fields = dictionary(constantFrom(...controlFields), value).map(
      (values) => new Map(Object.entries(values) as [ControlField, string][]),
    );
    assert(
      property(fields, (written) => {
        const text = writeControlFile({ fields: written });
        expect(text.toString().split('\n')).toHaveLength(written.size + 3);
        const back = readControlFile(text);
        for (const [field, given] of written) {
          // What XML cannot hold became blanks.
          const kept = given
            .toWellFormed()
            .replace(/\p{Cc}|[\ufffe\uffff]/gu, ' ')
            .trim();
          expect(back.fields.get(field)).toBe(kept);
        }
      }),
    );
  });

  it('shows London time in summer and winter, or UTC', () => {
    expect(statusDateTime(Date.parse('2018-08-08T16:04:18Z'), 'london')).toBe('20180808170418');
    expect(statusDateTime(Date.parse('2018-01-08T00:04:18Z'), 'london')).toBe('20180108000418');
    expect(statusDateTime(Date.parse('2018-08-08T16:04:18Z'), 'utc')).toBe('20180808160418');
  });
});
