import { pathToFileURL } from 'node:url';
import { type ErrorName, errorNames } from '@openmesh/protocol';
import { CannotStart } from './prepare-folders.ts';

/** The moves of a message's life that hooks and webhooks are told of, by the names of the Python sandbox's plugins. */
export const movesTold = [
  'accept_message',
  'save_message',
  'send_message',
  'acknowledge_message',
  'save_chunk',
] as const;
export type MoveTold = (typeof movesTold)[number];
export type HookEvent = `before_${MoveTold}` | `after_${MoveTold}` | `${MoveTold}_error`;

/** What an event is about. A `before_` hook may change the `message` of a send; nothing else is looked at again. */
export type HookArguments = Readonly<Record<string, unknown>>;

/** Why a move failed. */
export interface HookError {
  readonly name: string;
  readonly message: string;
}

/** Somebody who is told of events. */
export interface Listener {
  readonly triggers: ReadonlySet<string>;
  /** A name of the error catalogue refuses the move; only `before_` events can be refused. */
  tell(event: HookEvent, args: HookArguments, error?: HookError): Promise<ErrorName | undefined>;
}

const answerMsMax = 30_000;

interface HookModule {
  readonly triggers: readonly string[];
  readonly onEvent: (event: HookEvent, args: HookArguments, error?: HookError) => unknown;
}

export const hookEvents: readonly HookEvent[] = movesTold.flatMap((move) => [
  `before_${move}` as const,
  `after_${move}` as const,
  `${move}_error` as const,
]);

/** Loads a module that exports `triggers` and `onEvent`, by name or as its default. Throws `CannotStart`. */
export async function loadHooks(file: string): Promise<Listener> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
  } catch (cause) {
    throw new CannotStart(`OPENMESH_SANDBOX_HOOKS ${file} cannot be loaded: ${String(cause)}`, { cause });
  }
  const module = isHookModule(loaded) ? loaded : loaded.default;
  if (!isHookModule(module)) {
    throw new CannotStart(`OPENMESH_SANDBOX_HOOKS ${file} must export a list "triggers" and a function "onEvent".`);
  }
  const unknown = module.triggers.find((trigger) => !(hookEvents as readonly string[]).includes(trigger));
  if (unknown !== undefined) {
    throw new CannotStart(`OPENMESH_SANDBOX_HOOKS ${file} has an unknown trigger "${unknown}".`);
  }
  return {
    triggers: new Set(module.triggers),
    tell: async (event, args, error) => readRefusal(await inTime(module.onEvent(event, args, error))),
  };
}

function isHookModule(value: unknown): value is HookModule {
  if (typeof value !== 'object' || value === null) return false;
  const { triggers, onEvent } = value as Partial<Record<keyof HookModule, unknown>>;
  return Array.isArray(triggers) && triggers.every((item) => typeof item === 'string') && typeof onEvent === 'function';
}

async function inTime(answer: unknown): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`a hook did not answer within ${answerMsMax} ms`)), answerMsMax);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** `{ refuse: 'unregistered-recipient' }` refuses; nothing, or anything else without `refuse`, lets pass. */
function readRefusal(answer: unknown): ErrorName | undefined {
  if (typeof answer !== 'object' || answer === null || !('refuse' in answer)) return undefined;
  const name = errorNames.find((candidate) => candidate === answer.refuse);
  if (name === undefined) throw new Error('a hook refused with a name that is not in the error catalogue');
  return name;
}
