// Keeps what a run of a profile gave: in results/<profile>/ the main sections of its report with their figures and values, the answers that
// its question is answered from, and of claims.json the claims that were judged; its baseline in configs/baselines; and what is made of all
// of them: docs/results.md, its figures docs/images/arms.svg and epochs.svg, and tables and figures of scripts/sweep.mjs.
//   ./repro run --profile PROFILE && node scripts/results.mjs PROFILE
//   node scripts/results.mjs                      only what is made of all

import process from 'node:process';
import { root, runBundled } from '../bench/run-bundled.mjs';

const [profile] = process.argv.slice(2);
await runBundled(['scripts/results/main.ts'], () => ({ root, profile }));
