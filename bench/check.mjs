// How often the accuracy rule of `repro check` raises an alarm, from simulated answers: `npm run bench:check`.
import { runBundled } from './run-bundled.mjs';

await runBundled(['bench/check/main.ts'], () => ({ args: process.argv.slice(2) }));
