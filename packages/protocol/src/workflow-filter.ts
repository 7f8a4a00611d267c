/** What a `workflow_filter` asks of a workflow id; `negated` turns the answer round. */
export interface WorkflowFilter {
  readonly kind: 'equals' | 'begins' | 'ends' | 'contains';
  readonly text: string;
  readonly negated: boolean;
}

/**
 * Reads a decoded filter: a leading `!` negates; then `*x*` contains, `x*` begins with, `*x` ends with, `x` equals. Stars
 * within `x` stand for themselves. Case matters. Every text is a filter; its length is checked where the query is read.
 */
export function parseWorkflowFilter(raw: string): WorkflowFilter {
  const negated = raw.startsWith('!');
  const pattern = negated ? raw.slice(1) : raw;
  const openEnd = pattern.endsWith('*');
  // A lone star is open at both ends and contains nothing, which every id does.
  const openStart = pattern.startsWith('*');
  const text = pattern.slice(openStart ? 1 : 0, openEnd ? -1 : undefined);
  if (openStart) return { kind: openEnd ? 'contains' : 'ends', text, negated };
  return { kind: openEnd ? 'begins' : 'equals', text, negated };
}

/** True when the filter lets `workflowId` through. */
export function matchesWorkflow(filter: WorkflowFilter, workflowId: string): boolean {
  return holds(filter, workflowId) !== filter.negated;
}

function holds(filter: WorkflowFilter, workflowId: string): boolean {
  switch (filter.kind) {
    case 'equals':
      return workflowId === filter.text;
    case 'begins':
      return workflowId.startsWith(filter.text);
    case 'ends':
      return workflowId.endsWith(filter.text);
    case 'contains':
      return workflowId.includes(filter.text);
  }
}
