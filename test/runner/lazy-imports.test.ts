import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

/** The packages that a program loads before it runs, without those it imports on demand. */
async function listStaticPackages(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: path.resolve(import.meta.dirname, '../..'),
    entryPoints: [entry],
    outdir: 'unused',
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  const main = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === entry)?.[0] ?? '';
  const visited = new Set<string>();
  const packages = new Set<string>();
  const pending = [main];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (visited.has(file)) continue;
    visited.add(file);
    for (const imported of metafile.outputs[file]?.imports ?? []) {
      if (imported.kind !== 'import-statement') continue;
      if (imported.external !== true) pending.push(imported.path);
      else if (!imported.path.startsWith('node:')) packages.add(imported.path);
    }
  }
  return [...packages];
}

describe('a run that has nothing to do', () => {
  test.each([
    'src/runner/run/run.ts',
    'src/runner/run/status.ts',
    'src/runner/share/open-remote.ts',
    'src/runner/stage/host.ts',
    'src/app/view/open-view.ts',
  ])('loads no package for %s', async (entry) => {
    // These are small, and part of the bundle.
    const bundled = ['picocolors', 'fastest-levenshtein', 'valibot'];
    const packages = await listStaticPackages(entry);
    expect(packages.filter((name) => !bundled.includes(name))).toEqual([]);
  });
});
