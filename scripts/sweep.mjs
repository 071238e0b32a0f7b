// Runs a profile at several values of one setting, and keeps in results/<profile>/ a folder for each value with the answers and verdicts, which
// scripts/recompute.py recomputes, and over all of them: <profile>.csv, figures/<profile>.svg and report.md.
//   node scripts/sweep.mjs rates            at each learning rate; continues where it was interrupted
//   node scripts/sweep.mjs dose --check     the same runs, compared with what is kept
//   node scripts/sweep.mjs dose --values 1,6 --set seeds=[1] --set train.epochs=3    a trial, kept in artifacts/dose

import { root, runBundled } from '../bench/run-bundled.mjs';

await runBundled(['scripts/results/sweep.ts'], ({ data }) => ({ root, scratch: data }));
