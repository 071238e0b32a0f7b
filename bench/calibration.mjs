// How often the judge is wrong, on simulated studies of known truth: writes tables of bench/verdicts.md and docs/judge.md in three to four minutes.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/calibration/main.ts', 'bench/calibration/worker.ts'], ({ code }) => ({
  root,
  worker: `${code}/worker.mjs`,
}));
