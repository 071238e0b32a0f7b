import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Looks at the report in a real browser. Chromium is a system package, so this is a script of its own: `npm run test:browser`.
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/browser/reports.ts'],
    reporters: ['default', './test/support/plain-count-reporter.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // By default one core is left free, which is half of two.
    maxWorkers: availableParallelism(),
  },
});
