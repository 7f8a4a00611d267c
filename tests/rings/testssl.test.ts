import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ExchangeInProcess } from '../kit/running-exchange.ts';

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/** What testssl says of any throw-away certificate, and of a server that asks for one of its callers. */
const ofTheTest =
  /^(cert|chain|OCSP|DNS|HSTS|HPKP|banner|HTTP|security_headers|cookie|scan|engine|service|pre_|overall|grade|rating|protocol_support|key_exchange|cipher_strength|final_score|final_grade|BREACH|intermediate|trust|clientsimulation)/i;

it('testssl finds nothing to mend at the listener for systems, with and without certificates of callers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'openmesh-testssl-'));
  try {
    for (const tls of ['mutual', 'server'] as const) {
      await using exchange = await ExchangeInProcess.start({ tls, rules: tls === 'mutual' ? 'live' : 'sandbox' });
      const report = join(folder, `${tls}.json`);
      const args = [
        '--quiet',
        '--color',
        '0',
        '--ip',
        '127.0.0.1',
        '--nodns',
        'none',
        '--protocols',
        '--server-defaults',
      ];
      const tests = ['--server-preference', '--fs', '--vulnerable'];
      await promisify(execFile)('testssl', [...args, ...tests, '--jsonfile', report, `127.0.0.1:${exchange.port}`], {
        timeout: 240_000,
        maxBuffer: 64 * 1024 * 1024,
      }).catch((error: { code?: unknown }) => {
        // Its exit status counts findings; those are read below.
        if (typeof error.code !== 'number') throw error;
      });
      const findings = JSON.parse(readFileSync(report, 'utf8')) as readonly Finding[];
      const by = (id: string): string => findings.find((each) => each.id === id)?.finding ?? '';
      expect(by('TLS1_3')).toContain('offered');
      for (const old of ['SSLv2', 'SSLv3', 'TLS1', 'TLS1_1']) expect(by(old), old).toContain('not offered');
      const bad = findings.filter(
        ({ id, severity }) => /^(LOW|MEDIUM|HIGH|CRITICAL)$/.test(severity) && !ofTheTest.test(id),
      );
      expect(bad).toEqual([]);
      exchange.client('X26ABC1').close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 600_000);
