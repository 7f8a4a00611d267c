import { defineConfig } from 'vitest/config';

// Or V8 now and then ends the process, for a reason that packages/exchange/bin/node24.js tells.
const execArgv = ['--wasm-wrapper-tiering-budget=2000000000'];
const common = {
  testTimeout: 5 * 60_000,
  // Clusters start in them.
  hookTimeout: 4 * 60_000,
  // The default of a second is soon over on a busy machine.
  expect: { poll: { timeout: 60_000 } },
  fileParallelism: false,
  pool: 'forks',
  execArgv,
} as const;

// Tests on real engines from Debian's packages: PostgreSQL, an object store, what switches them over. One file at a time,
// for they load the machine. An engine that is missing fails its tests and says what to install; none is skipped.
export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'engines', include: ['tests/engines/**/*.test.ts'] } },
      {
        // What the whole exchange promises on the wire, on records that lie in PostgreSQL.
        test: {
          ...common,
          name: 'scenarios on PostgreSQL',
          globalSetup: 'tests/kit/engines/scenarios-on-postgres.ts',
          include: [
            'tests/scenarios/{endpoints,life,routing,sending}/**/*.test.ts',
            'tests/scenarios/gp-routing/{outcomes,rules}.test.ts',
            'tests/scenarios/keeping/timelines.test.ts',
            'tests/scenarios/tokens/nonces.test.ts',
            'tests/scenarios/sdk/{lost-answers,round-trip}.test.ts',
          ],
          // Measures the file of an SQLite ledger.
          exclude: ['tests/scenarios/routing/large-copies.test.ts'],
        },
      },
    ],
  },
});
