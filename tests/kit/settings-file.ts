import { writeFileSync } from 'node:fs';

/** Writes settings as `migrate-store` reads them: NAME=VALUE, a line each. */
export function writeSettingsFile(path: string, settings: Readonly<Record<string, string>>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path, lines.join(''));
}
