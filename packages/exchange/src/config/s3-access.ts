import { buildS3 } from './build-config.ts';
import type { Config, ConfigProblem } from './config.ts';
import { readSettings } from './read-settings.ts';

/** How S3 stores are reached, for a command that needs no exchange: other settings may be missing or be wrong. */
export function readS3Access(
  env: Readonly<Record<string, string | undefined>>,
):
  | { readonly ok: true; readonly s3: Config['s3'] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] } {
  const { values, problems } = readSettings(env);
  const mine = problems.filter(({ name }) => name.startsWith('OPENMESH_S3_'));
  return mine.length > 0 ? { ok: false, problems: mine } : { ok: true, s3: buildS3(values) };
}
