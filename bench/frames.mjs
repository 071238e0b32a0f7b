// Recordings to frames against NumPy, and the stages verify and frames: `npm run bench:frames -- --help`. Compiles frames/, so that it
// runs as plain JavaScript, as stages do.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside node_modules, from where packages are found.
const folder = await mkdtemp(`${root}node_modules/.bench-`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    rmSync(folder, { recursive: true });
    process.exit(1);
  });
}
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['bench/frames/main.ts', 'bench/frames/reader-child.ts', 'bench/frames/stage-child.ts'],
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
  });
  const { main } = await import(`${folder}/main.mjs`);
  await main({
    args: process.argv.slice(2),
    folder,
    readerChild: `${folder}/reader-child.mjs`,
    stageChild: `${folder}/stage-child.mjs`,
    peer: `${root}bench/numpy_peer.py`,
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
