// The explorable page in a browser: `npm run bench:explore -- --help`.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/explore/main.ts'], () => ({ args: process.argv.slice(2), project: root }));
