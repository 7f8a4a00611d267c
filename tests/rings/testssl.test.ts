import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { startStandIns } from '@openmesh/sandbox/stand-ins/start-stand-ins.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../architecture/source-tree.ts';
import { ExchangeInProcess } from '../kit/running-exchange.ts';

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/** What testssl says of any throw-away certificate, and of a server that asks for one of its callers. */
const ofTheTest =
  /^(cert|chain|OCSP|DNS|HSTS|HPKP|banner|HTTP|security_headers|cookie|scan|engine|service|pre_|overall|grade|rating|protocol_support|key_exchange|cipher_strength|final_score|final_grade|BREACH|intermediate|trust|clientsimulation)/i;
const testsslMs = 240_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-testssl-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is to be mended at a listener. Throws when testssl could not look at it. */
async function findingsAt(port: number): Promise<readonly Finding[]> {
  const report = join(folder, 'report.json');
  const how = ['--quiet', '--color', '0', '--ip', '127.0.0.1', '--nodns', 'none', '--jsonfile', report];
  const what = ['--protocols', '--server-defaults', '--server-preference', '--fs', '--vulnerable'];
  await promisify(execFile)('testssl', [...how, ...what, `127.0.0.1:${port}`], {
    timeout: testsslMs,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: { code?: unknown }) => {
    // Its exit status counts findings; those are read below.
    if (typeof error.code !== 'number') throw error;
  });
  const findings = JSON.parse(readFileSync(report, 'utf8')) as readonly Finding[];
  const by = (id: string): string => findings.find((each) => each.id === id)?.finding ?? '';
  expect(by('TLS1_3')).toContain('offered');
  for (const old of ['SSLv2', 'SSLv3', 'TLS1', 'TLS1_1']) expect(by(old), old).toContain('not offered');
  return findings.filter(({ id, severity }) => /^(LOW|MEDIUM|HIGH|CRITICAL)$/.test(severity) && !ofTheTest.test(id));
}

describe('testssl finds nothing to mend', () => {
  it.each([
    ['with certificates of callers', { tls: 'mutual', rules: 'live' }],
    ['without certificates of callers', { tls: 'server', rules: 'sandbox' }],
  ] as const)(
    'at the listener for systems, %s',
    async (_how, options) => {
      await using exchange = await ExchangeInProcess.start(options);
      expect(await findingsAt(exchange.port)).toEqual([]);
    },
    testsslMs + 60_000,
  );

  it(
    'at the stand-ins of the sandbox',
    async () => {
      const standIns = await startStandIns({ folder: join(folder, 'stand-ins') });
      try {
        expect(await findingsAt(Number(new URL(standIns.origin).port))).toEqual([]);
      } finally {
        await standIns.close();
      }
    },
    testsslMs + 60_000,
  );
});

describe('there is no other listener that speaks TLS', () => {
  it('at the operators’ of a running exchange', async () => {
    await using exchange = await ExchangeInProcess.start({ tls: 'mutual' });
    const socket = connect({ port: exchange.running.operatorsPort, host: '127.0.0.1', rejectUnauthorized: false });
    const [error] = (await once(socket, 'error').catch((raised: unknown) => [raised])) as [{ code?: string }];
    expect(error.code).toMatch(/^(ERR_SSL_|ECONNRESET|EPROTO)/);
    socket.destroy();
  });

  it('in what ships: whoever makes a server of TLS is one of those looked at here', () => {
    const shipped = readdirSync(join(repositoryRoot, 'packages'), { recursive: true, withFileTypes: true })
      .filter(
        (entry) => entry.isFile() && /\/src(\/|$)/.test(entry.parentPath) && !entry.parentPath.includes('node_modules'),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));
    const serving = /import \{[^}]*createServer[^}]*\} from 'node:(tls|https|http2)'|\bhttps?\d?: \{ *(cert|key)\b/;
    const found = shipped.filter((path) => serving.test(readFileSync(path, 'utf8')));
    expect(found.map((path) => path.slice(repositoryRoot.length).replace(/^\//, '')).toSorted()).toEqual([
      'packages/exchange/src/http/tls/context.ts',
      'packages/sandbox/src/stand-ins/start-stand-ins.ts',
    ]);
  });
});
