#!/usr/bin/env node
// Compiles the command line, the stage host, the script of the explorable page and the judge by itself to dist/.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { readRecipe } from './recipe.mjs';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const commandLine = 'src/app/main.ts';
const stageHost = 'src/runner/stage/host.ts';
const explorePage = 'src/report/explorable/page/main.ts';
const exploreWorker = 'src/report/explorable/page/worker.ts';
const judgeAlone = 'src/app/judge/alone.ts';

/** Packages that the program loads at its start: one file of each loads in less time than its many. And this project's own. */
const bundledPackages = [
  'ajv',
  'commander',
  'execa',
  'fastest-levenshtein',
  'picocolors',
  'picomatch',
  'plif-native',
  'simple-git',
  'valibot',
  'yaml',
];

/** Reviewers read it, and each job in CI downloads it. */
const mostJudgeBytes = 300_000;

await build();

async function build() {
  const startedMs = performance.now();
  const esbuild = await import('esbuild');
  const { version, dependencies, optionalDependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  );
  try {
    const options = {
      absWorkingDir: root,
      outdir: 'dist',
      outbase: 'src',
      bundle: true,
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: Object.keys({ ...dependencies, ...optionalDependencies }).filter(
        (name) => !bundledPackages.includes(name),
      ),
      // Its build for Node is 70 files of CommonJS.
      alias: { yaml: path.join(root, 'node_modules/yaml/browser/index.js') },
      sourcemap: true,
      write: false,
      // Packages of CommonJS ask for Node's modules by `require`.
      banner: {
        js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
      },
      define: { PACKAGE_VERSION: JSON.stringify(version) },
      logLevel: 'warning',
    };
    const [program, page, judge] = await Promise.all([
      esbuild.build({ ...options, entryPoints: [commandLine, stageHost] }),
      buildExplorablePage(esbuild),
      buildJudge(esbuild, options),
    ]);
    install([...program.outputFiles, page, judge]);
  } catch (error) {
    // esbuild has already printed the problem, with file and line.
    if (!Array.isArray(error?.errors)) throw error;
    process.exitCode = 1;
    return;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
  console.log(
    `compiled ${commandLine}, ${stageHost}, ${explorePage} and ${judgeAlone} to dist/ in ${seconds} s`,
  );
}

/** One script, `dist/explore.js`: a page opened from the disk cannot load the source of its thread, nor plif.wasm, from other files. */
async function buildExplorablePage(esbuild) {
  const options = {
    absWorkingDir: root,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    loader: { '.wasm': 'binary' },
    outfile: 'dist/explore.js',
    write: false,
    metafile: true,
    logLevel: 'warning',
  };
  const worker = await esbuild.build({ ...options, entryPoints: [exploreWorker] });
  const define = {
    WORKER_SOURCE: JSON.stringify(worker.outputFiles[0].text),
    RECIPE: JSON.stringify(readRecipe()),
  };
  const page = await esbuild.build({ ...options, define, entryPoints: [explorePage] });
  const [{ path: file, text }] = page.outputFiles;
  const licences = readLicences({ ...worker.metafile.inputs, ...page.metafile.inputs });
  return { path: file, contents: Buffer.from(`/*!\n${licences}\n*/\n${text}`) };
}

/** One file, `dist/judge.mjs`, for Node alone: it is what a release attaches, and what action.yml downloads. */
async function buildJudge(esbuild, options) {
  const built = await esbuild.build({
    ...options,
    entryPoints: [judgeAlone],
    outdir: undefined,
    outfile: 'dist/judge.mjs',
    splitting: false,
    external: [],
    plugins: [compiledSchema('schemas/judge.schema.json')],
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: false,
    metafile: true,
  });
  const [{ path: file, text }] = built.outputFiles;
  const contents = Buffer.from(
    `#!/usr/bin/env node\n/*!\n${readLicences(built.metafile.inputs)}\n*/\n${text}`,
  );
  if (contents.length > mostJudgeBytes)
    throw new Error(`${file} has ${contents.length} bytes; ${mostJudgeBytes} are allowed.`);
  return { path: file, contents };
}

/** In place of Ajv, a third of the file, what it would compile the only schema to: src/base/schema/json-schema.ts. */
function compiledSchema(file) {
  return {
    name: 'compiled-schema',
    setup(building) {
      building.onResolve({ filter: /^ajv$/ }, () => ({ path: file, namespace: 'compiled-schema' }));
      building.onLoad({ filter: /./, namespace: 'compiled-schema' }, async () => {
        const [{ Ajv }, { default: standalone }] = await Promise.all([
          import('ajv'),
          import('ajv/dist/standalone/index.js'),
        ]);
        const ajv = new Ajv({ allErrors: true, verbose: true, code: { source: true, esm: true } });
        ajv.addSchema(JSON.parse(readFileSync(path.join(root, file), 'utf8')), file);
        const check = standalone.default(ajv, { check: file });
        const contents = `${check}\nexport default { Ajv: class { compile() { return check; } } };`;
        return { contents, resolveDir: root };
      });
    },
  };
}

/** Of the packages in a bundle: those who publish it must keep their notices. */
function readLicences(inputs) {
  const folders = Object.keys(inputs).flatMap(
    (file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [],
  );
  return [...new Set(folders)]
    .sort()
    .map((folder) => {
      const read = (pattern) => {
        const file = readdirSync(path.join(root, folder)).find((one) => pattern.test(one));
        return file === undefined ? undefined : readFileSync(path.join(root, folder, file), 'utf8');
      };
      const name = folder.replace('node_modules/', '');
      // fft.js has it in its README.
      const text = read(/^licen[cs]e/i) ?? read(/^readme/i)?.match(/^#+ LICENSE\n(.*)/ms)?.[1];
      if (text === undefined)
        throw new Error(`${name}: what bundles it needs its licence, found none in ${folder}`);
      return `${name}\n\n${text.trim()}\n`;
    })
    .join('\n');
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
