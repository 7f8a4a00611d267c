import type { Setting } from './setting.ts';
import { settingSections, settings } from './settings.ts';

const introduction = `# Configuration

Every setting is an environment variable. They are read once, at start, and judged as a whole: a name that begins with
\`OPENMESH_\` and is not in this table, an empty value, a half-set option or a contradiction refuses to start, with a
sentence for each problem. \`openmesh-exchange check-config\` says the same without starting, and \`check-config --json\`
prints what is in force. Values of secrets are never printed. A name that ends in \`_FILE\` holds a path; the file is read
at start, and a secret file that every user of the machine can read gives a warning.

Where a default differs, the profile chooses it, or the wire rules where the table says so. A dash means: not set.

This page is made from the table in the code (\`check-config --markdown\`) and a test compares the two.
`;

/** The text of docs/config.md. */
export function renderSettingsDocument(): string {
  const sections = settingSections.map(({ title, names }) => {
    const rows = names.map((name) => renderRow(name, settings[name]));
    return [
      `## ${title}`,
      '',
      '| Setting | Default | Permitted | What it does |',
      '|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
  });
  return [introduction, ...sections].join('\n');
}

function renderRow(name: string, row: Setting<unknown>): string {
  const permitted = row.unit === '' ? row.limits : `${row.limits} ${row.unit}`;
  return `| \`${name}\` | ${renderDefault(row)} | ${permitted} | ${row.help} |`;
}

function renderDefault({ defaults, defaultBy }: Setting<unknown>): string {
  const { live, sandbox } = defaults;
  if (live === undefined || sandbox === undefined) return '–';
  if (live === sandbox) return `\`${live}\``;
  const suffix = defaultBy === 'wireRules' ? ' wire rules' : '';
  return `live${suffix} \`${live}\`, sandbox${suffix} \`${sandbox}\``;
}
