import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { hashText } from '../../src/base/files/canonical-json.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Inside the package, so that the programs find its dependencies. */
const folder = path.join(root, 'node_modules', '.cache', 'test-programs');

const built = new Map<string, Promise<string>>();

/** Compiles a program of this package once per test process; `source` is relative to the package. */
export function compileProgram(source: string): Promise<string> {
  const known = built.get(source) ?? compile(source);
  built.set(source, known);
  return known;
}

/** Named by content, so that test processes share identical programs and nothing accumulates while sources are unchanged. */
async function compile(source: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [source],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  const text = outputFiles[0]?.text ?? '';
  const file = path.join(folder, `${path.basename(source, '.ts')}-${hashText(text).slice(0, 16)}.mjs`);
  const partial = path.join(folder, `${randomUUID()}.partial`);
  await mkdir(folder, { recursive: true });
  await writeFile(partial, text);
  await rename(partial, file);
  return file;
}
