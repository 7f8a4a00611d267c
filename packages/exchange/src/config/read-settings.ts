import type { ConfigProblem } from './config.ts';
import { settingPrefix } from './env.ts';
import { nearestName } from './nearest-name.ts';
import { isSettingName, type SettingName, type SettingValues, settings } from './settings.ts';

export interface ReadSettings {
  /** Complete only when there are no problems. */
  readonly values: SettingValues;
  /** The settings that were written down, as against those that took their default. */
  readonly given: ReadonlySet<SettingName>;
  readonly problems: readonly ConfigProblem[];
}

/** Each setting by itself: known, not empty, of its type and within its limits, or its default. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): ReadSettings {
  const problems: ConfigProblem[] = unknownNames(env);
  const given = new Set<SettingName>();
  const values: Partial<Record<SettingName, unknown>> = {};
  const switches = { profile: 'live', wireRules: 'live' } as const satisfies Record<string, 'live' | 'sandbox'>;
  const chosen: Record<keyof typeof switches, 'live' | 'sandbox'> = { ...switches };

  const names = Object.keys(settings) as SettingName[];
  // The first two names of the table choose the defaults of all others, so they are read first.
  for (const name of names) {
    const { parse, defaults, defaultBy } = settings[name];
    const written = env[name];
    if (written !== undefined) given.add(name);
    const text = written ?? defaults[chosen[defaultBy]];
    if (text === undefined) continue;
    const parsed = text === '' ? emptyValue : parse(text);
    if (!parsed.ok) {
      problems.push({ name, problem: parsed.problem });
      continue;
    }
    values[name] = parsed.value;
    if (name === 'OPENMESH_PROFILE') chosen.profile = parsed.value === 'sandbox' ? 'sandbox' : 'live';
    if (name === 'OPENMESH_WIRE_RULES') chosen.wireRules = parsed.value === 'sandbox' ? 'sandbox' : 'live';
  }
  return { values: values as SettingValues, given, problems };
}

const emptyValue = { ok: false, problem: 'is empty: give it a value or remove it' } as const;

function unknownNames(env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(settingPrefix) && env[name] !== undefined && !isSettingName(name))
    .map((name) => ({ name, problem: describeUnknown(name) }));
}

function describeUnknown(name: string): string {
  const nearest = nearestName(name, Object.keys(settings));
  return `is not a setting of OpenMESH${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}
