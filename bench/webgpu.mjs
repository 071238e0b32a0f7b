// What a training step on a GPU does, kernel by kernel, and a report on a GPU: `npm run bench:webgpu -- --help`.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/webgpu/main.ts', 'bench/train/engine-child.ts'], ({ code, data }) => ({
  args: process.argv.slice(2),
  folder: data,
  engineChild: `${code}/engine-child.mjs`,
  root,
}));
