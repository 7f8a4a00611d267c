import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['tests/rings/**', 'tests/engines/**', '**/node_modules/**'],
    // What ends a test that hangs; far from what any of them needs, so that a busy machine fails none.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // The default of a second is soon over on a busy machine.
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    pool: 'forks',
    // Or V8 now and then ends the process, for a reason that packages/exchange/bin/node24.js tells.
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
  },
});
