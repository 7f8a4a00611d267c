import { type PlainReply, reply } from './request.ts';
import type { ShownGroup, ShownWorkflow, ShownWorkflows, WorkflowQuery } from './show-workflows.ts';

const style = [
  'body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#212b32}',
  'table{border-collapse:collapse;width:100%}',
  'th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #d8dde0}',
  'code{font-size:.95em;overflow-wrap:anywhere}',
  'input,button{font:inherit;padding:.3rem .6rem}',
].join('');

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

function link(query: Partial<Readonly<Record<'q' | 'group' | 'after', string>>>, text: string): string {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  const search = new URLSearchParams(given).toString();
  return `<a href="/workflows${search === '' ? '' : `?${escape(search)}`}">${escape(text)}</a>`;
}

function row(workflow: ShownWorkflow): string {
  const { workflow_id, title, description, purpose, status, restricted, ack_workflow_id, gp_routing, groups } =
    workflow;
  const marks = [status, restricted ? 'restricted' : '', gp_routing ? 'to a patient’s practice' : ''].filter(Boolean);
  const cells = [
    `<code>${escape(workflow_id)}</code>`,
    escape([title, description].filter(Boolean).join('. ')),
    escape(purpose),
    escape(marks.join(', ')),
    ack_workflow_id === null ? '' : `<code>${escape(ack_workflow_id)}</code>`,
    groups.map((group) => link({ group }, group)).join(', '),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function list(ids: readonly string[]): string {
  return ids.map((id) => `<code>${escape(id)}</code>`).join(', ') || 'none';
}

function section({ group_id, number, name, restricted, initiator_ids, responder_ids }: ShownGroup): string {
  const title = `${number === null ? '' : `${number} `}${name}${restricted ? ' (restricted)' : ''}`;
  return [
    `<h3>${link({ group: group_id }, title)}</h3>`,
    `<p>Initiators send ${list(initiator_ids)}. Responders send ${list(responder_ids)}.</p>`,
  ].join('');
}

/** Plain HTML that needs no script, so that any browser and any screen reader can read it. */
export function workflowsPage({ found, workflows, groups, next }: ShownWorkflows, query: WorkflowQuery): PlainReply {
  const heads = ['Workflow', 'What it carries', 'Kind', 'Status', 'Acknowledged by', 'Groups'];
  const more = next === undefined ? '' : `<p>${link({ q: query.text, group: query.group, after: next }, 'More')}</p>`;
  const inGroup = query.group === '' ? '' : ` in the group <code>${escape(query.group)}</code>`;
  const body = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Workflows</title>',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<style>${style}</style></head><body><h1>Workflows</h1>`,
    '<form action="/workflows"><label for="q">Search</label> ',
    `<input id="q" name="q" type="search" value="${escape(query.text)}"> <button>Search</button></form>`,
    `<p>${found} workflows${inGroup}. ${link({}, 'All')}. The same as <a href="/workflows.json">JSON</a>.</p>`,
    `<table><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>`,
    `<tbody>${workflows.map(row).join('')}</tbody></table>${more}`,
    groups.length === 0 ? '' : `<h2>Groups</h2>${groups.map(section).join('')}`,
    '</body></html>\n',
  ].join('');
  const answer = reply({ status: 200, contentType: 'text/html; charset=utf-8', body });
  const policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
  const guards = [
    ['content-security-policy', policy],
    ['x-content-type-options', 'nosniff'],
  ] as const;
  return { ...answer, headers: [...answer.headers, ...guards] };
}
