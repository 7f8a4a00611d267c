import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@openmesh/exchange';
import { settings } from '@openmesh/exchange/config/settings.ts';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { repositoryRoot } from './architecture/source-tree.ts';
import { testCertificates } from './kit/certificates.ts';
import { temporaryFolder } from './kit/temporary-folder.ts';

const folder = join(repositoryRoot, 'deploy');
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [member: string]: unknown;
}

interface Container {
  readonly command: readonly string[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly limits: object; readonly requests: object };
  readonly lifecycle?: { readonly preStop: Pick<CommandProbe, 'exec'> };
  readonly startupProbe: CommandProbe;
  readonly livenessProbe: CommandProbe;
  readonly readinessProbe: CommandProbe;
}

interface CommandProbe {
  readonly exec: { readonly command: readonly string[] };
  readonly timeoutSeconds: number;
}

interface PodSpec {
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
}

function manifestsOf(file: string): readonly Manifest[] {
  return parseAllDocuments(read(`kubernetes/${file}`)).map((document) => document.toJS() as Manifest);
}

function podOf(manifests: readonly Manifest[]): PodSpec {
  const workload = manifests.find(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
  if (workload === undefined) throw new Error('nothing is run');
  return (workload['spec'] as { template: { spec: PodSpec } }).template.spec;
}

function settingsOf(manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  return manifests.find(({ kind }) => kind === 'ConfigMap')?.['data'] as Readonly<Record<string, string>>;
}

/** Throws, naming the member, when the manifest is not what the schema of its kind says. */
async function validate(manifest: Manifest): Promise<void> {
  const module = (await import(`kubernetes-models/${manifest.apiVersion}`)) as Readonly<
    Record<string, new (of: Manifest) => { validate(): void }>
  >;
  const Model = module[manifest.kind];
  if (Model === undefined) throw new Error(`there is no ${manifest.kind} in ${manifest.apiVersion}`);
  new Model(manifest).validate();
}

const files = readdirSync(join(folder, 'kubernetes'));

describe('the unit for systemd', () => {
  const unit = read('systemd/openmesh-exchange.service');
  const secondsOf = (name: string): number => Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(unit)?.[1]);

  it('starts the exchange again for as long as a full disk or a database that is away may last', () => {
    expect(unit).toMatch(/^Restart=always$/m);
    // Of systemd itself: five starts within ten seconds are the last, and an exchange that cannot start needs less.
    expect(secondsOf('StartLimitIntervalSec') === 0 || secondsOf('RestartSec') * 5 > 10).toBe(true);
  });

  it('tells the launcher of an older Node alone to stop, which passes it on: told twice, the exchange would cut requests off', () => {
    expect(unit).toMatch(/^KillMode=mixed$/m);
  });
});

describe('the manifests for Kubernetes', () => {
  it.each(files)('of %s are what their schemas say', async (file) => {
    const manifests = manifestsOf(file);
    expect(manifests.length).toBeGreaterThan(4);
    for (const manifest of manifests) await validate(manifest);
    const [wrong] = manifests.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
    const spec = wrong?.['spec'] as { replicas: unknown };
    await expect(validate({ ...(wrong as Manifest), spec: { ...spec, replicas: 'three' } })).rejects.toThrow(
      /replicas/,
    );
  });

  it.each(files)('of %s give the exchange no root, no place to write but its own, limits and probes', (file) => {
    const manifests = manifestsOf(file);
    const pod = podOf(manifests);
    const operatorsPort = settingsOf(manifests)['OPENMESH_OPERATORS_PORT'];
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const asks = (path: string): CommandProbe['exec'] => ({
        command: ['curl', '-fsS', `http://127.0.0.1:${operatorsPort}${path}`],
      });
      expect(container.startupProbe.exec).toEqual(asks('/health'));
      expect(container.livenessProbe.exec).toEqual(asks('/health'));
      expect(container.readinessProbe.exec).toEqual(asks('/ready'));
      const some = expect.stringMatching(/^\d+/) as string;
      const limits = { cpu: some, memory: some };
      expect(container.resources).toEqual({ requests: limits, limits });
      // The readiness of a store that hangs is told after five seconds at most.
      for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
        expect(probe.timeoutSeconds).toBeGreaterThanOrEqual(5);
      }
    }
  });

  it.each(files)('of %s have settings that the exchange accepts, with the secrets that they name', async (file) => {
    await using secretsHere = await temporaryFolder('manifest');
    const { server, authorityFile } = await testCertificates();
    const secrets = new Map([
      ['secret-key', '5e'.repeat(32)],
      ['shared-key', 'a-shared-key'],
      ['server.pem', server.cert],
      ['server-key.pem', server.key],
      ['clients-ca.pem', readFileSync(authorityFile, 'utf8')],
      ['ticket-key', 'a7'.repeat(48)],
    ]);
    for (const [name, text] of secrets) writeFileSync(join(secretsHere.path, name), text, { mode: 0o600 });
    const [secretsOnly, first] = [/^\/etc\/openmesh\//, read(`kubernetes/${file}`).split('apiVersion:')[0] ?? ''];
    const given = Object.entries(settingsOf(manifestsOf(file))).map(([name, value]) => {
      if (!secretsOnly.test(value)) return [name, value.replace('/var/lib/openmesh', secretsHere.path)];
      const secret = value.replace(secretsOnly, '');
      expect(first, 'the comment at the top lists what the secret holds').toContain(secret);
      return [name, join(secretsHere.path, secret)];
    });
    const stores = first.includes('OPENMESH_LEDGER')
      ? {
          OPENMESH_LEDGER: 'postgres://openmesh@ledger/openmesh',
          AWS_ACCESS_KEY_ID: 'id',
          AWS_SECRET_ACCESS_KEY: 'key',
        }
      : {};
    const loaded = loadConfig({ ...stores, ...(Object.fromEntries(given) as Record<string, string>) });
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  });

  it.each(files)('of %s name settings that there are, and leave more time to end than the exchange takes', (file) => {
    const manifests = manifestsOf(file);
    const data = settingsOf(manifests);
    expect(Object.keys(data).filter((name) => !Object.hasOwn(settings, name))).toEqual([]);
    const { terminationGracePeriodSeconds, containers } = podOf(manifests);
    const pauseSeconds = Math.max(
      ...containers.map(({ lifecycle }) => Number(lifecycle?.preStop.exec.command[1] ?? 0)),
    );
    const letGoSeconds = 10;
    const takenSeconds = pauseSeconds + Number(data['OPENMESH_SHUTDOWN_SECONDS']) + letGoSeconds;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(takenSeconds);
  });

  it('of many nodes keep one open to callers until the others have heard that it is to be replaced', () => {
    const [exchange] = podOf(manifestsOf('many-nodes.yaml')).containers;
    const [program, seconds] = exchange?.lifecycle?.preStop.exec.command ?? [];
    expect([program, Number(seconds) >= 5]).toEqual(['sleep', true]);
  });
});

/** The metrics that docs/operate/metrics.md lists, which a test holds to those that are given. */
const documented = new Set(
  Array.from(
    readFileSync(join(repositoryRoot, 'docs/operate/metrics.md'), 'utf8').matchAll(/^\| `([a-z_]+)` \|/gm),
    (match) => match[1],
  ),
);
const known = (name: string): boolean =>
  documented.has(name.replace(/_(bucket|sum|count)$/, '')) || documented.has(name);
const metricsIn = (expression: string): readonly string[] =>
  Array.from(expression.matchAll(/\b(?:openmesh|process)_[a-z_]+\b/g), ([name]) => name);

describe('what is watched', () => {
  it('by the alert rules are metrics that there are, each with what it means and what to do', () => {
    const { groups } = parse(read('prometheus/openmesh-alerts.yaml')) as {
      groups: readonly { rules: readonly { alert: string; expr: string; labels: object; annotations: object }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(8);
    for (const { alert, expr, labels, annotations } of rules) {
      expect(
        metricsIn(expr).filter((name) => !known(name)),
        alert,
      ).toEqual([]);
      expect(labels, alert).toMatchObject({ severity: expect.stringMatching(/^(page|ticket)$/) });
      expect(annotations, alert).toMatchObject({ summary: expect.any(String), action: expect.any(String) });
    }
  });

  it('on the dashboard are metrics that there are, in panels that do not lie on each other', () => {
    const { panels } = JSON.parse(read('grafana/openmesh.json')) as {
      panels: readonly {
        title: string;
        gridPos: { x: number; y: number; w: number; h: number };
        targets: readonly { expr: string }[];
      }[];
    };
    expect(panels.length).toBeGreaterThan(8);
    const taken = new Set<string>();
    for (const { title, gridPos, targets } of panels) {
      for (const { expr } of targets) {
        expect(metricsIn(expr).length, title).toBeGreaterThan(0);
        expect(
          metricsIn(expr).filter((name) => !known(name)),
          title,
        ).toEqual([]);
      }
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`), title).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });
});
