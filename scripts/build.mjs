#!/usr/bin/env node
// Compiles the command line and the stage host to dist/.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const entryPoints = ['src/cli/main.ts', 'src/stage/host.ts'];

/**
 * Every command reads YAML, and loading the 70 files of the package's Node build takes longer than everything else a
 * command does. Its browser build consists of ES modules, which can be bundled into one file.
 */
const bundleYaml = {
  name: 'bundle-yaml',
  setup(build) {
    build.onResolve({ filter: /^yaml$/ }, () => ({
      path: path.join(root, 'node_modules/yaml/browser/index.js'),
    }));
  },
};

await build();

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
      plugins: [bundleYaml],
      sourcemap: true,
      write: false,
      define: { PACKAGE_VERSION: JSON.stringify(version) },
      logLevel: 'warning',
    });
    install(outputFiles);
  } catch (error) {
    // esbuild has already printed the problem, with file and line.
    if (!Array.isArray(error?.errors)) throw error;
    process.exitCode = 1;
    return;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
  console.log(`compiled ${entryPoints.join(' and ')} to dist/ in ${seconds} s`);
}

/** Chunks first, entry points last, each by a rename: a command that starts meanwhile finds a complete old or new program. */
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

/** A running command may still load chunks of its own build, so recent ones are kept. */
function removeOldChunks(current) {
  const folder = path.join(dist, 'chunks');
  const keepAfterMs = Date.now() - 60 * 60 * 1000;
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (!current.has(file) && statSync(file, { throwIfNoEntry: false })?.mtimeMs < keepAfterMs) {
      rmSync(file, { force: true });
    }
  }
}
