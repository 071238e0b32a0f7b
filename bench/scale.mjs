// How well a training step of the native engine would use many cores: `npm run bench:scale -- --help`.
import { runBundled } from './run-bundled.mjs';

await runBundled(['bench/scale/main.ts', 'bench/train/engine-child.ts'], ({ code, data }) => ({
  args: process.argv.slice(2),
  folder: data,
  engineChild: `${code}/engine-child.mjs`,
}));
