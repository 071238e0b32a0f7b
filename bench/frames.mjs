// Recordings to frames against NumPy, and the stages verify and frames: `npm run bench:frames -- --help`.
import { root, runBundled } from './run-bundled.mjs';

await runBundled(
  ['bench/frames/main.ts', 'bench/frames/reader-child.ts', 'bench/frames/stage-child.ts'],
  ({ code, data }) => ({
    args: process.argv.slice(2),
    folder: data,
    readerChild: `${code}/reader-child.mjs`,
    stageChild: `${code}/stage-child.mjs`,
    peer: `${root}bench/numpy_peer.py`,
  }),
);
