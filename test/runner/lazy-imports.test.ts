import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { mayHaveGpu } from '../../src/network/engines/webgpu/adapters.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { CliProject } from './rig/cli-project.ts';

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

/** The parts of the program that a command loads, by their names in dist/chunks. */
async function listLoaded(project: CliProject, words: readonly string[], REPRO_GPU?: string) {
  const folder = await temporaryFolder();
  const ran = await project.call(words, { NODE_V8_COVERAGE: folder, REPRO_GPU });
  expect([0, 3], ran.stderr).toContain(ran.exitCode);
  const files = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
  const urls = files.flatMap((text) => [...text.matchAll(/dist\/chunks\/([a-z-]+)-[0-9A-Z]{8}\.js"/g)]);
  return new Set(urls.map(([, name]) => name));
}

describe('trying engines', () => {
  test.skipIf(mayHaveGpu())('costs nothing without a GPU: its code is not loaded', async () => {
    const project = await CliProject.copyConfiguration();
    project.linkSources();
    expect(await listLoaded(project, ['status'], 'a GPU that is not there')).toContain('engine-trial');
    for (const words of [['status'], ['run', '--dry-run']]) {
      const loaded = await listLoaded(project, words);
      expect(loaded).toContain('engines');
      expect(loaded).not.toContain('engine-trial');
    }
    await project.remove('.');
  });
});

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
