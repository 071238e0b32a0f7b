#!/usr/bin/env node
// Compiles the command line and the host of stages to dist/. `--if-stale` does nothing when dist/ is newer than its sources.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const entryPoints = ['src/cli/main.ts', 'src/stage/host.ts'].filter((entry) =>
  existsSync(path.join(root, entry)),
);

if (process.argv.includes('--if-stale') && isFresh()) {
  console.log('dist/ is up to date');
} else {
  await build();
}

async function build() {
  const startedMs = performance.now();
  const esbuild = await import('esbuild');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  try {
    const { outputFiles } = await esbuild.build({
      absWorkingDir: root,
      entryPoints,
      outdir: 'dist',
      outbase: 'src',
      bundle: true,
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: true,
      write: false,
      define: { PACKAGE_VERSION: JSON.stringify(version) },
      logLevel: 'warning',
    });
    install(outputFiles);
  } catch (error) {
    // esbuild has printed what is wrong, with file and line.
    if (!Array.isArray(error?.errors)) throw error;
    process.exitCode = 1;
    return;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
  console.log(`compiled ${entryPoints.join(' and ')} to dist/ in ${seconds} s`);
}

/** Chunks first, entry points last, each by a rename: a command that starts meanwhile finds an old or a new program, whole. */
function install(outputFiles) {
  const isChunk = (file) => file.path.startsWith(path.join(dist, 'chunks'));
  for (const file of [...outputFiles].sort((a, b) => Number(isChunk(b)) - Number(isChunk(a)))) {
    mkdirSync(path.dirname(file.path), { recursive: true });
    const partial = `${file.path}.${process.pid}`;
    writeFileSync(partial, file.contents);
    renameSync(partial, file.path);
  }
  removeOldChunks(new Set(outputFiles.map((file) => file.path)));
}

/** A command that still runs loads chunks of its own build when it needs them, so young ones stay. */
function removeOldChunks(current) {
  const folder = path.join(dist, 'chunks');
  const keepAfterMs = Date.now() - 60 * 60 * 1000;
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const file = path.join(folder, name);
    if (!current.has(file) && statSync(file, { throwIfNoEntry: false })?.mtimeMs < keepAfterMs) {
      rmSync(file, { force: true });
    }
  }
}

function isFresh() {
  const built = entryPoints.map((entry) =>
    path.join(dist, entry.replace(/^src\//, '').replace(/\.ts$/, '.js')),
  );
  if (!built.every((file) => existsSync(file))) return false;
  const builtMs = Math.min(...built.map((file) => statSync(file).mtimeMs));
  const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(root, 'src', name))
    .concat([path.join(root, 'package.json'), import.meta.filename]);
  return sources.every((file) => statSync(file).mtimeMs < builtMs);
}
