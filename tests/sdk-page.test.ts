import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as sdk from '@openmesh/sdk';
import { commandHelp, programHelp } from '@openmesh/sdk/cli/help.ts';
import { commands } from '@openmesh/sdk/cli/run-command.ts';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './architecture/source-tree.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const page = read('docs/sdk.md');
const examples = readdirSync(join(repositoryRoot, 'examples')).filter((name) => name.endsWith('.ts'));

describe('docs/sdk.md', () => {
  it('shows every example as it stands, and no other code', () => {
    const shown = [...page.matchAll(/<!-- examples\/(.*) -->\n```ts\n([^]*?)```/g)].map(([, name, text]) => [
      name,
      text,
    ]);
    expect(new Set(shown.map(([name]) => name))).toEqual(new Set(examples));
    expect(shown).toHaveLength(examples.length);
    for (const [name, text] of shown) expect(text, name).toBe(read(`examples/${name}`));
    expect(page.match(/```\w+/g)).toHaveLength(shown.length);
  });

  it('explains every operation of a client, and an example uses each', () => {
    const operations = Object.getOwnPropertyNames(sdk.MeshClient.prototype).filter((name) => name !== 'constructor');
    expect(operations.length).toBeGreaterThan(15);
    expect(operations.filter((name) => !page.includes(`\`${name}`) && !page.includes(`client.${name}`))).toEqual([]);
    const code = examples.map((name) => read(`examples/${name}`)).join('');
    const closed = ['close'];
    expect(operations.filter((name) => !code.includes(`client.${name}`) && !closed.includes(name))).toEqual([]);
  });

  it('names everything that can be imported and run', () => {
    const notForPeople = ['defaultLimits', 'defaultRetryPolicy', 'clientErrors', 'checkNames', 'sdkVersion'];
    const names = Object.keys(sdk).filter((name) => !notForPeople.includes(name));
    expect(names.filter((name) => !page.includes(name))).toEqual([]);
  });

  it('lists the errors, the limits, the retry policy and the checks of the code', () => {
    for (const [code, entry] of Object.entries(sdk.clientErrors)) {
      expect(page).toContain(`| \`${code}\` | ${entry.class} | ${entry.whoCanFix} | ${entry.text} | ${entry.hint} |`);
    }
    for (const [name, value] of Object.entries(sdk.defaultLimits)) expect(page).toContain(`| \`${name}\` | ${value} |`);
    for (const name of sdk.checkNames) expect(page).toContain(`\`${name}\``);
    const { attempts, firstDelayMs, delayMsMax, retryAfterMsMax } = sdk.defaultRetryPolicy;
    expect(page).toContain(`Up to ${attempts} attempts`);
    for (const ms of [firstDelayMs, delayMsMax, retryAfterMsMax]) expect(page).toContain(`${ms} ms`);
  });

  it('says the version of the manifest where the code says it', () => {
    const manifest = JSON.parse(read('packages/sdk/package.json')) as { readonly version: string };
    expect(sdk.sdkVersion).toBe(manifest.version);
  });
});

describe('docs/mesh.md', () => {
  const mesh = read('docs/mesh.md');

  it('holds the help of the program and of every command word for word', () => {
    expect(mesh).toContain(`\`\`\`text\n${programHelp(commands)}\`\`\`\n`);
    for (const command of commands) {
      expect(mesh).toContain(`## ${command.name}\n\n\`\`\`text\n${commandHelp(command)}\`\`\`\n`);
    }
    expect([...mesh.matchAll(/^## (.*)$/gm)].map(([, name]) => name)).toEqual(commands.map(({ name }) => name));
  });
});
