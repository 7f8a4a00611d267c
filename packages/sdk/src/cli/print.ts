import { terminalText as plain, terminalJson } from '@openmesh/protocol';
import type { MeshError } from '../errors/mesh-error.ts';
import type { CommandIo } from './command.ts';

export { terminalText as plain } from '@openmesh/protocol';

export function printJson(io: CommandIo, value: unknown): void {
  io.stdout(`${terminalJson(value)}\n`);
}

/** One `name: value` a line, those without a value left out. */
export function printFields(io: CommandIo, fields: Readonly<Record<string, unknown>>): void {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...present.map(([name]) => name.length));
  for (const [name, value] of present) io.stdout(`${`${name}:`.padEnd(width + 2)}${plain(String(value))}\n`);
}

/** What went wrong, in the service's words where it gave any, and what to do. */
export function printError(io: CommandIo, error: MeshError, isJson: boolean): void {
  if (isJson) {
    io.stderr(`${terminalJson({ error: errorFields(error) })}\n`);
    return;
  }
  io.stderr(`mesh: ${plain(error.message)}\n`);
  if (error.wire !== undefined && error.wire.text !== '') io.stderr(`  the service says: ${plain(error.wire.text)}\n`);
  if (error.messageId !== undefined) io.stderr(`  message: ${error.messageId}\n`);
  io.stderr(`  ${error.hint}\n`);
}

export function errorFields(error: MeshError): Readonly<Record<string, unknown>> {
  const { code, operation, message, hint, whoCanFix, status, wire, fields, messageId, retryAfterMs } = error;
  const optional = { status, wire, messageId, retryAfterMs, fields: fields.length > 0 ? fields : undefined };
  return { code, operation, message, class: error.class, whoCanFix, hint, ...optional };
}
