import { defineConfig } from 'vitest/config';

// Tests on real engines from Debian's packages: PostgreSQL, an object store, what switches them over. One file at a time,
// for they load the machine. An engine that is missing fails its tests and says what to install; none is skipped.
export default defineConfig({
  test: {
    include: ['tests/engines/**/*.test.ts'],
    testTimeout: 5 * 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    pool: 'forks',
    // V8 loses track of the pages of code it guards with them where threads come and go, and ends the process.
    execArgv: ['--no-memory-protection-keys'],
  },
});
