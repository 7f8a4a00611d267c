import { describe, expect, it } from 'vitest';
import { protectForWindows, type RunProgram, unprotectForWindows } from './windows-secrets.ts';

/** Stands in for PowerShell: turns the bytes round, and keeps what it was called with. */
function standIn(): { readonly run: RunProgram; readonly calls: { program: string; script: string; input: string }[] } {
  const calls: { program: string; script: string; input: string }[] = [];
  const run: RunProgram = (program, args, input) => {
    calls.push({ program, script: args.join(' '), input });
    return `${Buffer.from(Buffer.from(input, 'base64').toReversed()).toString('base64')}\r\n`;
  };
  return { run, calls };
}

describe('secrets that Windows protects', () => {
  it('come back as they were, whatever letters they have', () => {
    const { run } = standIn();
    const secret = 'pässword with £ and \'quotes\' "both"';
    expect(unprotectForWindows(protectForWindows(secret, run) ?? '', run)).toBe(secret);
  });

  it('never stand on a command line', () => {
    const { run, calls } = standIn();
    protectForWindows('secret', run);
    const [call] = calls;
    expect(call?.script).not.toContain('secret');
    expect(call?.script).not.toContain(Buffer.from('secret').toString('base64'));
    expect(call?.input).toBe(Buffer.from('secret').toString('base64'));
    expect(call?.program).toMatch(/^C:\\Windows\\System32\\/);
    expect(call?.script).toContain("::Protect($bytes, $entropy, 'LocalMachine')");
  });

  it('that cannot be opened are none, and neither is what the program says instead', () => {
    expect(unprotectForWindows('AAAA', () => undefined)).toBeUndefined();
    expect(unprotectForWindows('AAAA', () => 'Exception calling "Unprotect"')).toBeUndefined();
  });
});
