import type { Config } from './config.ts';

/**
 * The configuration as plain JSON for the start log and `check-config --json`: same groups and names, secrets masked
 * (they mask themselves), paths shown.
 */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
}
