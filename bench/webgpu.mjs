// What a training step on a GPU does, kernel by kernel: `npm run bench:webgpu -- --help`.
import { runBundled } from './run-bundled.mjs';

await runBundled(['bench/webgpu/main.ts'], () => process.argv.slice(2));
