import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from '@openmesh/exchange/config/settings.ts';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { repositoryRoot } from './architecture/source-tree.ts';

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
  readonly startupProbe: object;
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
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
    const pod = podOf(manifestsOf(file));
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.livenessProbe.httpGet.path).toBe('/health');
      expect(container.readinessProbe.httpGet.path).toBe('/ready');
      expect(container).toMatchObject({ startupProbe: {}, resources: { limits: {}, requests: {} } });
    }
  });

  it.each(files)('of %s name settings that there are, and leave more time to end than the exchange takes', (file) => {
    const manifests = manifestsOf(file);
    const data = manifests.find(({ kind }) => kind === 'ConfigMap')?.['data'] as Readonly<Record<string, string>>;
    expect(Object.keys(data).filter((name) => !Object.hasOwn(settings, name))).toEqual([]);
    expect(podOf(manifests).terminationGracePeriodSeconds).toBeGreaterThan(Number(data['OPENMESH_SHUTDOWN_SECONDS']));
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
