import type { Config } from './config.ts';
import { readSettings } from './read-settings.ts';
import type { Setting } from './setting.ts';
import { type SettingName, settings } from './settings.ts';

/**
 * The configuration as plain JSON for the start log and `check-config --json`: same groups and names, secrets masked
 * (they mask themselves), paths shown.
 */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
}

export interface DescribedSetting {
  readonly name: SettingName;
  /** As written or by default; a secret is masked; undefined when the setting is left out. */
  readonly value: string | undefined;
  readonly source: 'environment' | 'default';
}

/** Each setting of the table with the value in force; call it only for an environment that `loadConfig` accepts. */
export function describeSettings(env: Readonly<Record<string, string | undefined>>): readonly DescribedSetting[] {
  const { values, given } = readSettings(env);
  return (Object.keys(settings) as SettingName[]).map((name) => {
    const { type, defaults, defaultBy, show } = settings[name] as Setting<unknown>;
    const switched = defaultBy === 'profile' ? values.OPENMESH_PROFILE : values.OPENMESH_WIRE_RULES;
    const written = given.has(name) ? env[name] : defaults[switched];
    const shown = written === undefined ? undefined : (show?.(written) ?? written);
    const value = type === 'secret' && written !== undefined ? '********' : shown;
    return { name, value, source: given.has(name) ? 'environment' : 'default' };
  });
}
