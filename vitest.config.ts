import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  define: { PACKAGE_VERSION: JSON.stringify('0.0.0-test') },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**'],
    // The command-line tests run the compiled program, so it is compiled first.
    globalSetup: existsSync('scripts/build.mjs') ? ['test/support/build.ts'] : [],
    reporters: ['default', './test/support/plain-count-reporter.ts'],
    // By default one core is left free, which is half of two. One more than there are: many tests only wait for processes.
    maxWorkers: availableParallelism() + 1,
    // Where it is set, every Node reads that file at its start, which takes longer than the rest; the tests start thousands, and none needs it.
    env: { NODE_EXTRA_CA_CERTS: '' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
