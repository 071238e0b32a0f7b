// The parity suite on networks with other seeds, by engine, and on wrong formulas: `npm run bench:parity -- [SEEDS]`.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/parity/main.ts'], ({ data }) => ({
  args: process.argv.slice(2),
  folder: data,
  root,
}));
