#!/usr/bin/env node
// Compiles the command line, the stage host and the script of the explorable page to dist/.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const commandLine = 'src/cli/main.ts';
const stageHost = 'src/stage/host.ts';
const explorePage = 'src/explore/page/main.ts';
const exploreWorker = 'src/explore/page/worker.ts';

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

/**
 * Importing a module of Node's own from an ES module reads all its exports, also those that are made on first use: `node:crypto` then loads
 * Web Crypto, `node:process` opens stdin. That takes longer than everything else at the start of a command, so these are left out.
 */
const readBuiltinsLazily = {
  name: 'read-builtins-lazily',
  setup(build) {
    build.onResolve({ filter: /^[\w:/]+$/ }, ({ path: name, kind, importer }) => {
      if (!isBuiltin(name)) return undefined;
      if (kind === 'require-call') return { path: name, namespace: 'builtin-commonjs' };
      // Packages may import what is made on first use.
      return importer.includes('node_modules') ? undefined : { path: name, namespace: 'builtin' };
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin-commonjs' }, ({ path: name }) => ({
      // Commander needs it only for commands that are programs of their own.
      contents:
        name === 'node:child_process'
          ? `module.exports = { get spawn() { return process.getBuiltinModule('node:child_process').spawn; } };`
          : `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
      loader: 'js',
    }));
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => {
      const properties = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(name)));
      const names = properties.flatMap(([property, { get }]) =>
        get === undefined && /^[A-Za-z_]\w*$/.test(property) && property !== 'default' ? [property] : [],
      );
      const lines = names.map((property) => `const $${property} = builtin.${property};`);
      return {
        contents: `const builtin = process.getBuiltinModule(${JSON.stringify(name)});
${lines.join('\n')}
export { builtin as default, ${names.map((property) => `$${property} as ${property}`).join(', ')} };`,
        loader: 'js',
      };
    });
  },
};

/** What runs of stages load, with what it imports: as 200 files it takes 0.1 s more to load than as a few chunks. */
const bundledPackages = ['ajv', 'execa', 'simple-git'];

/** What every run of stages loads. */
const hotModules = ['src/cli/run/run.ts'];

/** Small packages without dependencies that it loads. */
const hotPackages = { commander: 'index.js', picocolors: 'picocolors.js', 'fastest-levenshtein': 'mod.js' };

/**
 * Loading a file as an ES module takes half a millisecond, and code splitting makes a chunk for each set of entry points that share
 * something: over fifty for a run. Here every module imports what is hot, so that all of it becomes one chunk.
 */
const joinHotModules = {
  name: 'join-hot-modules',
  setup(build) {
    const names = Object.keys(hotPackages).join('|');
    build.onResolve({ filter: new RegExp(`^(${names})$`) }, ({ path: name }) => ({
      path: path.join(root, 'node_modules', name, hotPackages[name]),
    }));
    const followers = listFollowers();
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      // On the last line, so that the others keep their numbers.
      return { contents: followers.has(file) ? `${source}\nimport 'hot-modules';` : source, loader: 'ts' };
    });
    build.onResolve({ filter: /^hot-modules$/ }, () => ({ path: 'hot-modules', namespace: 'hot' }));
    build.onLoad({ filter: /.*/, namespace: 'hot' }, () => ({
      contents: hotModules.map((file) => `import ${JSON.stringify(`./${file}`)};`).join('\n'),
      resolveDir: root,
    }));
  },
};

/**
 * The sources that import what is hot: all that are loaded on demand, and all that are not hot. Others would import themselves, and be used
 * before they are defined.
 */
function listFollowers() {
  const all = readdirSync(path.join(root, 'src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(root, 'src', name));
  const imported = (file, pattern) =>
    [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name]) =>
      path.resolve(path.dirname(file), name),
    );
  const hot = new Set(hotModules.map((file) => path.join(root, file)));
  for (const file of hot) {
    const atStart = /^(?:import|export) (?!type )(?:[^'";]* from )?'(\.[^']+\.ts)'/gm;
    for (const one of imported(file, atStart)) hot.add(one);
  }
  const onDemand = all.flatMap((file) => imported(file, /\bimport\(\s*'(\.[^']+\.ts)'/g));
  return new Set([...all.filter((file) => !hot.has(file)), ...onDemand]);
}

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
      sourcemap: true,
      write: false,
      metafile: true,
      define: { PACKAGE_VERSION: JSON.stringify(version) },
      logLevel: 'warning',
    };
    const [command, host, page] = await Promise.all([
      esbuild.build({
        ...options,
        entryPoints: [commandLine],
        plugins: [bundleYaml, readBuiltinsLazily, joinHotModules],
      }),
      esbuild.build({ ...options, entryPoints: [stageHost], plugins: [readBuiltinsLazily] }),
      buildExplorablePage(esbuild),
    ]);
    install([...(await toCommonJs(esbuild, command)), ...host.outputFiles, page]);
  } catch (error) {
    // esbuild has already printed the problem, with file and line.
    if (!Array.isArray(error?.errors)) throw error;
    process.exitCode = 1;
    return;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
  console.log(`compiled ${commandLine}, ${stageHost} and ${explorePage} to dist/ in ${seconds} s`);
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
  const define = { WORKER_SOURCE: JSON.stringify(worker.outputFiles[0].text) };
  const page = await esbuild.build({ ...options, define, entryPoints: [explorePage] });
  const [{ path: file, text }] = page.outputFiles;
  const licences = readLicences({ ...worker.metafile.inputs, ...page.metafile.inputs });
  return { path: file, contents: Buffer.from(`/*!\n${licences}\n*/\n${text}`) };
}

/** Of the packages in a bundle: those who publish it must keep their notices. */
function readLicences(inputs) {
  const folders = Object.keys(inputs).flatMap(
    (file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [],
  );
  return [...new Set(folders)]
    .sort()
    .map((folder) => {
      const file = readdirSync(path.join(root, folder)).find((one) => /^licen[cs]e/i.test(one));
      const name = folder.replace('node_modules/', '');
      if (file === undefined)
        throw new Error(`${name}: the explorable page needs its licence, found none in ${folder}`);
      return `${name}\n\n${readFileSync(path.join(root, folder, file), 'utf8').trim()}\n`;
    })
    .join('\n');
}

/**
 * Makes CommonJS modules of the entry point, of what every run of stages loads, and of what these import: Node loads them in less time than
 * ES modules, and in Node 20 only their compiled code can be kept (`bin/repro.js`). They import nothing but each other.
 */
async function toCommonJs(esbuild, { outputFiles, metafile: { outputs } }) {
  const hot = [commandLine, ...hotModules, 'schemas/pipeline.schema.json'];
  const pending = Object.keys(outputs).filter((file) => hot.includes(outputs[file].entryPoint));
  const converted = new Set(pending);
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    for (const { path: imported, kind, external } of outputs[file].imports) {
      if (external && kind === 'import-statement' && !isBuiltin(imported)) {
        throw new Error(
          `${file} imports ${imported} at its start, which every run would load: import it where it is used`,
        );
      }
      if (kind !== 'import-statement' || converted.has(imported)) continue;
      converted.add(imported);
      pending.push(imported);
    }
  }
  const names = [...converted].map((file) => path.basename(file));
  const rename = (text) =>
    text.replace(/(["/])([\w.-]+\.js)"/g, (all, before, name) =>
      names.includes(name) ? `${before}${name.replace(/js$/, 'cjs')}"` : all,
    );
  const textOf = new Map(outputFiles.map(({ path: file, text }) => [path.relative(root, file), text]));
  const made = [];
  for (const [file, text] of textOf) {
    const absolute = path.join(root, file);
    if (converted.has(file.replace(/\.map$/, ''))) {
      if (file.endsWith('.map')) continue;
      const map = Buffer.from(textOf.get(`${file}.map`)).toString('base64');
      const { code, map: newMap } = await esbuild.transform(
        `${rename(text).replace(/\/\/# sourceMappingURL=.*/, '')}//# sourceMappingURL=data:application/json;base64,${map}`,
        {
          format: 'cjs',
          platform: 'node',
          target: 'node20',
          sourcemap: 'external',
          define: { 'import.meta.url': 'importMetaUrl' },
          banner: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;",
        },
      );
      const target = absolute.replace(/js$/, 'cjs');
      // `bin/repro.js` gives `importModule` to the modules that it loads.
      const loading = code
        .replace(/\bimport\(("\.[^"]+\.cjs")\)/g, 'Promise.resolve().then(() => require($1))')
        .replace(/\bimport\("/g, 'importModule("');
      made.push({ path: target, contents: `${loading}//# sourceMappingURL=${path.basename(target)}.map\n` });
      made.push({ path: `${target}.map`, contents: newMap });
    } else {
      made.push({ path: absolute, contents: file.endsWith('.js') ? rename(text) : text });
    }
  }
  return made;
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
