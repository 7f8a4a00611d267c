import type { BatchAnswer, BatchItem } from './batch.ts';

/**
 * What passes between the threads: JSON and, beside it, the bodies. A structured clone writes every property name of
 * every object again and looks each up on the other side; the text is made and read at a third of that cost.
 */
export interface Envelope {
  readonly text: string;
  readonly bodies: readonly Uint8Array[];
}

interface WithInline {
  readonly inline?: Uint8Array | number | null;
}

/** In place of an inline body stands its number among the bodies. */
function detach<C extends WithInline>(chunk: C, bodies: Uint8Array[]): C {
  if (!(chunk.inline instanceof Uint8Array)) return chunk;
  bodies.push(chunk.inline);
  return { ...chunk, inline: bodies.length - 1 };
}

function attach(chunk: { inline?: unknown } | null | undefined, bodies: readonly Uint8Array[]): void {
  if (chunk !== null && chunk !== undefined && typeof chunk.inline === 'number') chunk.inline = bodies[chunk.inline];
}

interface CarriesChunk {
  readonly payload?: { readonly chunk: WithInline } | null;
  readonly chunk?: WithInline | null;
}

export function packItems(items: readonly BatchItem[]): Envelope {
  const bodies: Uint8Array[] = [];
  const slim = items.map(({ name, args }) => {
    const [first, ...rest] = args as readonly [CarriesChunk | undefined, ...unknown[]];
    if (name === 'accept' && first?.payload !== null && first?.payload !== undefined) {
      const { payload } = first;
      return { name, args: [{ ...first, payload: { ...payload, chunk: detach(payload.chunk, bodies) } }, ...rest] };
    }
    if (name === 'addChunk' && first?.chunk !== null && first?.chunk !== undefined) {
      return { name, args: [{ ...first, chunk: detach(first.chunk, bodies) }, ...rest] };
    }
    return { name, args };
  });
  return { text: JSON.stringify(slim), bodies };
}

export function unpackItems({ text, bodies }: Envelope): readonly BatchItem[] {
  const items = JSON.parse(text) as BatchItem[];
  if (bodies.length === 0) return items;
  for (const { args } of items) {
    const first = args[0] as CarriesChunk | null | undefined;
    attach(first?.payload?.chunk, bodies);
    attach(first?.chunk, bodies);
  }
  return items;
}

export function packAnswers(answers: readonly BatchAnswer[]): Envelope {
  const bodies: Uint8Array[] = [];
  const slim = answers.map((answer) => {
    if (!answer.ok || answer.value === null || typeof answer.value !== 'object') return answer;
    const { chunk } = answer.value as CarriesChunk;
    if (chunk === null || chunk === undefined) return answer;
    return { ok: true, value: { ...answer.value, chunk: detach(chunk, bodies) } };
  });
  return { text: JSON.stringify(slim), bodies };
}

export function unpackAnswers({ text, bodies }: Envelope): readonly BatchAnswer[] {
  const answers = JSON.parse(text) as BatchAnswer[];
  if (bodies.length === 0) return answers;
  for (const answer of answers) {
    if (answer.ok && answer.value !== null && typeof answer.value === 'object') {
      attach((answer.value as CarriesChunk).chunk, bodies);
    }
  }
  return answers;
}
