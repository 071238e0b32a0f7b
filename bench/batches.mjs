// The share of a training step that is spent waiting for its batch: `npm run bench:batches -- --help`.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside node_modules, from where the engine's packages are found.
const folder = await mkdtemp(`${root}node_modules/.bench-`);
const data = await mkdtemp(path.join(tmpdir(), 'bench-batches-'));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const one of [folder, data]) rmSync(one, { recursive: true });
    process.exit(1);
  });
}
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['bench/batches/main.ts'],
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
  await main({ args: process.argv.slice(2), folder: data });
} finally {
  await rm(folder, { recursive: true });
  await rm(data, { recursive: true });
}
