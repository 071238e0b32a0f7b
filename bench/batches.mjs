// The share of a training step that is spent waiting for its batch: `npm run bench:batches -- --help`.
import { runBundled } from './run-bundled.mjs';

await runBundled(['bench/batches/main.ts'], ({ data }) => ({ args: process.argv.slice(2), folder: data }));
