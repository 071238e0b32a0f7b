import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

/** These replace modules (`vi.mock`), which other files in the same process would get, too. */
const alone = [
  'test/app/missing-package.test.ts',
  'test/report/explorable/recompute.test.ts',
  'test/runner/external-inputs.test.ts',
  'test/runner/run/resume-folder.test.ts',
  'test/runner/store/vanishing.test.ts',
];
/** Slow by nature, so `npm test` leaves them to `npm run test:slow`: clusters, kills, disks, gigabytes, git servers, PyTorch, SciPy, compilers, whole runs, TensorFlow.js, many processes. */
const slow = [
  'test/slurm/**/*.test.ts',
  'test/report/baseline/broken-code.test.ts',
  'test/report/explorable/recompute-run.test.ts',
  'test/report/recompute.test.ts',
  'test/app/cache-kill.test.ts',
  'test/app/data-new.test.ts',
  'test/app/data-new-run.test.ts',
  'test/app/engine-trial.test.ts',
  'test/app/export-sharing.test.ts',
  'test/app/gc.test.ts',
  'test/app/model-check.test.ts',
  'test/app/newcomer.test.ts',
  'test/app/sleep.test.ts',
  'test/app/train-val-folders.test.ts',
  'test/data/fetch/fetch-folder.test.ts',
  'test/data/fetch/kill.test.ts',
  'test/data/fetch/long.test.ts',
  'test/docs/calibration.test.ts',
  'test/docs/examples.test.ts',
  'test/docs/filled-tables.test.ts',
  'test/network/engines/session.test.ts',
  'test/native/kernels.test.ts',
  'test/native/networks.test.ts',
  'test/exchange/parity/adam-allowance.test.ts',
  'test/exchange/parity/golden.test.ts',
  'test/runner/execution-crash.test.ts',
  'test/runner/execution-disk.test.ts',
  'test/runner/execution-names-cli.test.ts',
  'test/runner/execution-power-cut.test.ts',
  'test/runner/share/remote-cache.test.ts',
  'test/runner/share/remote-trouble.test.ts',
  'test/scripts/pack.test.ts',
  'test/stages/two-scales.test.ts',
  'test/training/kill.test.ts',
  'test/training/learning.test.ts',
  'test/verdicts/committed-results.test.ts',
];
const common = {
  // Where it is set, every Node reads that file at its start, which takes longer than the rest; the tests start thousands, and none needs it.
  env: { NODE_EXTRA_CA_CERTS: '' },
  // Only a test that hangs takes this long: beside two others on two slow cores, those that compute with TensorFlow.js can take a minute.
  testTimeout: 180_000,
  hookTimeout: 180_000,
};
const define = { PACKAGE_VERSION: JSON.stringify('0.0.0-test') };

export default defineConfig({
  test: {
    projects: [
      { define, test: { ...common, name: 'alone', include: alone } },
      // The others share processes: loading the same modules again for each of 300 files would take 0.2 s each.
      {
        define,
        test: {
          ...common,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...alone, ...slow, 'test/browser/**'],
          isolate: false,
        },
      },
      { define, test: { ...common, name: 'slow', include: slow, isolate: false } },
    ],
    // The command-line tests run the compiled program, so it is compiled first.
    globalSetup: existsSync('scripts/build.mjs') ? ['test/support/build.ts'] : [],
    reporters: ['default', './test/support/plain-count-reporter.ts'],
    // By default one core is left free, which is half of two. One more than there are: many tests only wait for processes.
    maxWorkers: availableParallelism() + 1,
  },
});
