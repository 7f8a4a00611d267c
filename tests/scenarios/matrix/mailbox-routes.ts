import { readFileSync } from 'node:fs';

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const methods = new Set(['get', 'head', 'post', 'put', 'delete', 'patch']);

/**
 * Every method at every address of a mailbox, from the API's description, which a test of its own holds to the router.
 * `{mb}`, `{id}` and `{upload}` stand for the mailbox, a waiting message and an open upload.
 */
export function createMailboxRoutes(): [method: string, path: string][] {
  const text = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
  const { paths } = JSON.parse(text) as Description;
  const routes: [string, string][] = [];
  for (const [path, item] of Object.entries(paths)) {
    if (!/^\/messageexchange\/\{[a-z_]*mailbox[a-z_]*\}/i.test(path)) continue;
    const address = path
      .replace(/\{[^}]*mailbox[^}]*\}/i, '{mb}')
      .replace(/(outbox\/)\{[^}]*message[^}]*\}/i, '$1{upload}')
      .replace(/\{[^}]*message[^}]*\}/i, '{id}')
      .replace(/\{[^}]*chunk[^}]*\}/i, '2')
      .replace(/\{[^}]*local[^}]*\}/i, 'matrix');
    for (const method of Object.keys(item)) if (methods.has(method)) routes.push([method.toUpperCase(), address]);
  }
  if (routes.length < 12) throw new Error(`only ${routes.length} addresses of a mailbox were found in the description`);
  return routes;
}
