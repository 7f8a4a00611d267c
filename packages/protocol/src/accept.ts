import { isDigits, trimBlanks } from './ascii.ts';
import type { ApiVersion } from './profile.ts';

const MESH_TYPE_PREFIX = 'application/vnd.mesh.v';
const MESH_TYPE_SUFFIX = '+json';
const JSON_V1 = 'application/json';
const JSON_V2 = 'application/vnd.mesh.v2+json';

/**
 * Which version of the API an `Accept` header asks for: the highest mesh version of the list that we speak (a later one
 * counts as 2), and 1 when no mesh type is named. `'malformed'` (answer 400) when mesh types are named and none of them
 * can be read.
 */
export function negotiateVersion(accept: string | undefined): ApiVersion | 'malformed' {
  if (accept === JSON_V2) return 2;
  if (accept === undefined || accept === '*/*' || accept === JSON_V1) return 1;
  const list = accept.toLowerCase();
  if (!list.includes('vnd.mesh')) return 1;
  let best: ApiVersion | undefined;
  let refused = false;
  for (const item of list.split(',')) {
    const [type = '', ...parameters] = item.split(';');
    const version = meshVersion(trimBlanks(type));
    if (version === undefined) continue;
    if (weightOf(parameters) === 0) refused = true;
    else if (best === undefined || version > best) best = version;
  }
  return best ?? (refused ? 1 : 'malformed');
}

/** Content type of a JSON answer of `version`, without a charset. Validation errors are always version 1's. */
export function jsonContentType(version: ApiVersion): string {
  return version === 2 ? JSON_V2 : JSON_V1;
}

/**
 * True when `Accept-Encoding` names `gzip` with a weight above zero. A weight that cannot be read counts as zero and `*`
 * does not count as gzip, because bytes sent as they are harm nobody.
 */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  if (acceptEncoding === 'gzip') return true;
  const list = acceptEncoding.toLowerCase();
  if (!list.includes('gzip')) return false;
  for (const item of list.split(',')) {
    const [coding = '', ...parameters] = item.split(';');
    if (trimBlanks(coding) === 'gzip') return weightOf(parameters) > 0;
  }
  return false;
}

function meshVersion(type: string): ApiVersion | undefined {
  if (!type.startsWith(MESH_TYPE_PREFIX) || !type.endsWith(MESH_TYPE_SUFFIX)) return undefined;
  const digits = type.slice(MESH_TYPE_PREFIX.length, -MESH_TYPE_SUFFIX.length);
  if (!isDigits(digits, 4) || Number(digits) < 1) return undefined;
  return Number(digits) === 1 ? 1 : 2;
}

const weightPattern = /^[01](?:\.\d{0,3})?$/;

/** The `q` of an item's parameters, 1 when there is none, 0 when it is not a weight. */
function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    if (equals === -1 || trimBlanks(parameter.slice(0, equals)) !== 'q') continue;
    const weight = trimBlanks(parameter.slice(equals + 1));
    return weightPattern.test(weight) ? Number(weight) : 0;
  }
  return 1;
}
