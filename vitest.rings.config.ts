import { defineConfig } from 'vitest/config';

// Tests that need more than npm: a C compiler, a disk that can be cut, minutes. One file at a time, for they load the machine.
export default defineConfig({
  test: {
    include: ['tests/rings/**/*.test.ts'],
    testTimeout: 15 * 60_000,
    hookTimeout: 120_000,
    // The default of a second is soon over on a busy machine.
    expect: { poll: { timeout: 60_000 } },
    fileParallelism: false,
    pool: 'forks',
    // Or V8 now and then ends the process, for a reason that packages/exchange/bin/node24.js tells.
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
  },
});
