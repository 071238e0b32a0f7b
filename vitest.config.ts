import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  define: { PACKAGE_VERSION: JSON.stringify('0.0.0-test') },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**'],
    // The command-line tests run the compiled program, so it is compiled first.
    globalSetup: existsSync('scripts/build.mjs') ? ['test/support/build.ts'] : [],
    reporters: ['default', './test/support/plain-count-reporter.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
