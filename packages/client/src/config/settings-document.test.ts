import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clientVersion } from '../version.ts';
import { settingsDocument, unknownsDocument } from './settings-document.ts';

const page = (name: string): string =>
  readFileSync(new URL(`../../../../docs/operate/${name}`, import.meta.url), 'utf8');

describe('the pages of the folder client', () => {
  it('docs/operate/client.md has the table of settings that the code has (openmesh-client settings prints it)', () => {
    expect(page('client.md')).toContain(settingsDocument());
  });

  it('docs/operate/client-compatibility.md lists every unknown with its setting and default (settings --unknowns)', () => {
    expect(page('client-compatibility.md')).toContain(unknownsDocument());
  });

  it('the version is that of the manifest', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(clientVersion).toBe(manifest.version);
  });
});
