import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../../..');

/** Inside the package, so that the programs find its dependencies. */
const folder = path.join(root, 'node_modules', '.cache', 'test-programs');

const built = new Map<string, Promise<string>>();

/** Compiles a program of this package, once for each test process; `source` is relative to the package. */
export function compileProgram(source: string): Promise<string> {
  const known = built.get(source) ?? compile(source);
  built.set(source, known);
  return known;
}

async function compile(source: string): Promise<string> {
  const name = `${path.basename(source, '.ts')}-${process.pid}.mjs`;
  const partial = path.join(folder, `${randomUUID()}.mjs`);
  await mkdir(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: [source],
    outfile: partial,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  const file = path.join(folder, name);
  await rename(partial, file);
  return file;
}
