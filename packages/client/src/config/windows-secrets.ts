import { spawnSync } from 'node:child_process';

/** Runs a program with this standard input; its standard output, or undefined where it failed. For tests. */
export type RunProgram = (program: string, args: readonly string[], input: string) => string | undefined;

/** Windows' own PowerShell, by its full path: a program of that name elsewhere must not be given secrets. */
const powershell = String.raw`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`;
const patienceMs = 30_000;
/** Sets these values apart from those of other programs; no secret. */
const entropy = 'OpenMESH folder client';

/**
 * What Windows protects by its Data Protection API for this machine: every program on it can open it, and none elsewhere,
 * so the file that holds it still needs its permissions. The secret goes by standard input, never as an argument.
 */
export function protectForWindows(secret: string, run: RunProgram = runProgram): string | undefined {
  return call('Protect', Buffer.from(secret, 'utf8').toString('base64'), run);
}

/** Undefined where it cannot be opened: on another machine, or where it was changed. */
export function unprotectForWindows(base64: string, run: RunProgram = runProgram): string | undefined {
  const opened = call('Unprotect', base64, run);
  return opened === undefined ? undefined : Buffer.from(opened, 'base64').toString('utf8');
}

function call(method: 'Protect' | 'Unprotect', base64: string, run: RunProgram): string | undefined {
  const script = [
    "$ErrorActionPreference = 'Stop'",
    'Add-Type -AssemblyName System.Security',
    '$bytes = [Convert]::FromBase64String([Console]::In.ReadToEnd().Trim())',
    `$entropy = [Text.Encoding]::UTF8.GetBytes('${entropy}')`,
    `$done = [Security.Cryptography.ProtectedData]::${method}($bytes, $entropy, 'LocalMachine')`,
    '[Console]::Out.Write([Convert]::ToBase64String($done))',
  ].join('; ');
  const said = run(powershell, ['-NoProfile', '-NonInteractive', '-Command', script], base64)?.trim();
  return said !== undefined && /^[A-Za-z0-9+/]+={0,2}$/.test(said) ? said : undefined;
}

function runProgram(program: string, args: readonly string[], input: string): string | undefined {
  const { status, stdout } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: patienceMs,
    windowsHide: true,
  });
  return status === 0 ? stdout : undefined;
}
