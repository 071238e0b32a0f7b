// The native engine against PyTorch: `npm run bench:train -- --help`. Compiles train/, so that engines run as plain JavaScript.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside node_modules, from where the engines' packages are found.
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
    entryPoints: ['bench/train/main.ts', 'bench/train/engine-child.ts'],
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
    engineChild: `${folder}/engine-child.mjs`,
    peer: `${root}bench/pytorch_peer.py`,
    ceilings: `${root}bench/ceilings.cc`,
  });
} finally {
  await rm(folder, { recursive: true });
}
