import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCommonName, parseCommonName } from './certificate-subject.ts';

describe('the common name of a client certificate', () => {
  it.each([
    ['SERVER001.X26.api.mesh-client.nhs.uk', 'SERVER001', 'X26'],
    ['server001.x26.API.Mesh-Client.NHS.UK', 'SERVER001', 'X26'],
    ['X26OT001.x26.api.mesh-client.nhs.uk', 'X26OT001', 'X26'],
    ['a_b-1.RR8.api.mesh-client.nhs.uk', 'A_B-1', 'RR8'],
    ['gate.way.RR8.api.mesh-client.nhs.uk', 'GATE.WAY', 'RR8'],
  ])('names one holder in upper case: %s', (commonName, localId, odsCode) => {
    expect(parseCommonName(commonName)).toEqual({ localId, odsCode });
  });

  it.each([
    '',
    'X26.api.mesh-client.nhs.uk',
    '.X26.api.mesh-client.nhs.uk',
    'S1..api.mesh-client.nhs.uk',
    'S1.X26.api.mesh-client.nhs.uk.evil.example',
    'S1.X26.api.mesh-client.nhs.uk ',
    ' S1.X26.api.mesh-client.nhs.uk',
    'S1.X26xapi.mesh-client.nhs.uk',
    'S1.X26.api.mesh-client.nhs.uk\n',
    'S1\\0.X26.api.mesh-client.nhs.uk',
    'S1.X26\0.api.mesh-client.nhs.uk',
    'S1.X-26.api.mesh-client.nhs.uk',
    'S1.TOOLONGACODE.api.mesh-client.nhs.uk',
    `${'S'.repeat(60)}.X26.api.mesh-client.nhs.uk`,
    // The Kelvin sign and the long s fold into k and s where case is compared carelessly.
    'S1.X26.api.mesh-client.nhs.u\u212a',
    '\u017f1.X26.api.mesh-client.nhs.uk',
    'S1.\u212a26.api.mesh-client.nhs.uk',
  ])('names nobody when it departs from the grammar: %j', (commonName) => {
    expect(parseCommonName(commonName)).toBeUndefined();
  });

  it('that we write is read back as the same holder, or not written at all', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 45 }), fc.string({ maxLength: 12 }), (localId, odsCode) => {
        const commonName = formatCommonName(localId, odsCode);
        const holder = commonName === undefined ? undefined : parseCommonName(commonName);
        return commonName === undefined
          ? true
          : holder?.localId === localId.toUpperCase() && holder.odsCode === odsCode.toUpperCase();
      }),
      { examples: [['A', '.0']] },
    );
  });
});
