import { defineConfig } from 'vitest/config';

// Tests that need more than npm: a C compiler, a disk that can be cut, minutes. One file at a time, for they load the machine.
export default defineConfig({
  test: {
    include: ['tests/rings/**/*.test.ts'],
    testTimeout: 15 * 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    pool: 'forks',
    // V8 loses track of the pages of code it guards with them where threads come and go, and ends the process.
    execArgv: ['--no-memory-protection-keys'],
  },
});
