// The report of a full run, from simulated metrics: `npm run bench:report -- --help`.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/report/main.ts', 'bench/report/stage-child.ts'], ({ code, data }) => ({
  args: process.argv.slice(2),
  folder: data,
  project: root,
  stageChild: `${code}/stage-child.mjs`,
}));
