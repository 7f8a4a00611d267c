import { expect, it } from 'vitest';
import type { ErrorCarrier, ErrorEntry } from './error-entry.ts';
import { type ErrorName, errorEntry, errorNames } from './errors.ts';

const preface = `# Errors

Every error of the exchange, by a name that never changes. This page is printed from the catalogue by
\`node scripts/with-node24.js vitest run -u packages/protocol/src/error-page.test.ts\`; without \`-u\`
the same test compares the two.

**Class** says what a caller may do: after a *transient* error the same request may succeed later; an *ambiguous* one may
have taken effect, so look before repeating it; after a *permanent* one, repeating the request unchanged cannot succeed.
**Fixed by** is who can do something about it. An error without event and code has empty ones on the wire too.

A request whose headers or parameters are missing, too long or no numbers is answered 400 with a list of all of them,
\`{"detail":[{"type","loc","msg","input"?,"ctx"?}]}\`, in both versions of the API. A message that arrived has event
\`TRANSFER\`, code \`00\` and the text \`Transferred to recipient mailbox\`.
`;

const sections: readonly { readonly carrier: ErrorCarrier; readonly title: string; readonly says: string }[] = [
  { carrier: 'answer', title: 'In answers', says: 'Told to the caller at once.' },
  {
    carrier: 'either',
    title: 'In answers or reports',
    says: 'Told at once where it is known at once, else in a REPORT in the sender’s inbox.',
  },
  {
    carrier: 'report',
    title: 'In reports',
    says: 'Told in a REPORT in the sender’s inbox, after the message was accepted. The status is the one it would have had.',
  },
  { carrier: 'never', title: 'Known, never sent', says: 'Codes of other implementations, so that they can be read.' },
];

it('docs/errors.md says what the catalogue says', async () => {
  await expect(describeErrors()).toMatchFileSnapshot('../../../docs/errors.md');
});

function describeErrors(): string {
  return [preface, ...sections.map(describeSection)].join('\n');
}

function describeSection({ carrier, title, says }: (typeof sections)[number]): string {
  const names = errorNames.filter((name) => errorEntry(name).carrier === carrier);
  const head =
    '| Name | Status | Event | Code | Text | Class | Fixed by | What to do |\n|---|---|---|---|---|---|---|---|';
  return `## ${title}\n\n${says}\n\n${[head, ...names.map(describeRow)].join('\n')}\n`;
}

function describeRow(name: ErrorName): string {
  const entry: ErrorEntry = errorEntry(name);
  const cells = [
    `\`${name}\``,
    String(entry.status),
    entry.event,
    entry.code,
    entry.text.replaceAll('\n', ' ').replace('  ', ' '),
    entry.class,
    entry.whoCanFix,
    entry.hint,
  ];
  return `| ${cells.join(' | ')} |`;
}
