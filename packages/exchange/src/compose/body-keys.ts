import { randomBytes } from 'node:crypto';

const bodyKeyBytes = 20;

/** The random part of a body's name, never the same twice. */
export function randomBodyKey(): string {
  return randomBytes(bodyKeyBytes).toString('hex');
}
