// Compiles TypeScript of a benchmark or a script and runs its `main`, as plain JavaScript.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param entries relative to the project; the first exports `main`, the others become files beside it
 * @param places from the folder with the compiled files (inside node_modules, from where packages are found) and an
 *   empty one for data, both of which are removed at the end: what `main` is given
 */
export async function runBundled(entries, places) {
  const code = await mkdtemp(`${root}node_modules/.bench-`);
  const data = await mkdtemp(path.join(tmpdir(), 'bench-'));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      for (const folder of [code, data]) rmSync(folder, { recursive: true });
      process.exit(1);
    });
  }
  try {
    await build({
      absWorkingDir: root,
      entryPoints: entries,
      outdir: code,
      entryNames: '[name]',
      bundle: true,
      packages: 'external',
      platform: 'node',
      target: 'node20',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      logLevel: 'error',
    });
    const compiled = path.join(code, path.basename(entries[0]).replace(/\.ts$/, '.mjs'));
    const { main } = await import(compiled);
    await main(places({ code, data }));
  } finally {
    await rm(code, { recursive: true });
    await rm(data, { recursive: true });
  }
}
