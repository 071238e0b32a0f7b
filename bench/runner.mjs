// The runner against make, Snakemake, turbo and wireit: `npm run bench:runner -- --help`.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/runner/main.ts', 'bench/runner/fill.ts'], ({ code, data }) => ({
  args: process.argv.slice(2),
  folder: data,
  project: root,
  fill: `${code}/fill.mjs`,
}));
