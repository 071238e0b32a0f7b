// How often the intervals of the question contain the truth, simulated: writes tables of bench/verdicts.md in about four minutes.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/intervals/main.ts'], () => ({ root }));
