// How often the intervals of the question contain the truth, simulated: writes the table of docs/claims.md in about a minute.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/intervals/main.ts'], () => ({ root }));
