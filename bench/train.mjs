// The native engine against PyTorch: `npm run bench:train -- --help`.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(['bench/train/main.ts', 'bench/train/engine-child.ts'], ({ code, data }) => ({
  args: process.argv.slice(2),
  folder: data,
  engineChild: `${code}/engine-child.mjs`,
  peer: `${root}bench/pytorch_peer.py`,
  ceilings: `${root}bench/ceilings.cc`,
}));
