import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['tests/rings/**', 'tests/engines/**', '**/node_modules/**'],
    // What ends a test that hangs; far from what any of them needs, so that a busy machine fails none.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    pool: 'forks',
    // V8 loses track of the pages of code it guards with them where threads come and go, and ends the process.
    execArgv: ['--no-memory-protection-keys'],
  },
});
