import fs from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, BuildOptions, Loader, Plugin } from 'esbuild';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits, hashText } from '../../base/files/canonical-json.ts';
import { packageNameOf } from './locked-packages.ts';

interface Bundle {
  /** One ES module with everything except packages, with an inline source map. */
  readonly text: string;
  /** Path relative to the project -> sha256 of what it does: code without types, comments and layout; for anything else, its bytes. Sorted. */
  readonly files: Readonly<Record<string, string>>;
  /** The same paths -> sha256 of the file's bytes. */
  readonly sources: Readonly<Record<string, string>>;
  readonly packages: readonly string[];
}

const common = {
  target: 'node20',
  /** The project's tsconfig.json is ignored: what a stage computes must not depend on editor settings. */
  tsconfigRaw: { compilerOptions: { target: 'es2022', verbatimModuleSyntax: true } },
  logLevel: 'silent',
} as const;

const loaders: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.json': 'json',
};

/**
 * Bundles a stage module and lists its sources, hashed from the very bytes that went into the bundle.
 *
 * @param outfile absolute; where the bundle will be, for the paths in its source map
 * @throws {ReproError} `stage-code` with the location of the first error
 */
export async function bundleModule(projectRoot: string, module: string, outfile: string): Promise<Bundle> {
  // An import would parse the package twice, to find its exports.
  const esbuild: typeof import('esbuild') = createRequire(import.meta.url)('esbuild');
  // esbuild names files by their real paths.
  const root = await fs.realpath(projectRoot);
  const files = new Map<string, string>();
  const sources = new Map<string, string>();
  const strip = async (source: string, loader: Loader): Promise<string> =>
    (await esbuild.transform(source, { ...common, loader, minifyWhitespace: true, legalComments: 'none' }))
      .code;
  const recordFiles: Plugin = {
    name: 'record-files',
    setup(build) {
      build.onLoad({ filter: /\.([cm]?[jt]s|json)$/, namespace: 'file' }, async (args) => {
        const bytes = await fs.readFile(args.path);
        const source = bytes.toString('utf8').replace(/^\uFEFF/, '');
        const loader = loaders[path.extname(args.path)] ?? 'js';
        // If a file has an error, the bundler itself reports it with the file's name.
        const code = loader === 'json' ? source : await strip(source, loader).catch(() => source);
        const name = path.relative(root, args.path);
        files.set(name, hashText(code));
        sources.set(name, hashText(bytes));
        return { contents: keepModulePlace(source, args.path), loader, resolveDir: path.dirname(args.path) };
      });
    },
  };
  const options: BuildOptions & { metafile: true; write: false } = {
    ...common,
    absWorkingDir: root,
    entryPoints: [path.join(root, module)],
    outfile,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    define: {
      'import.meta.url': 'importMetaUrl',
      'import.meta.filename': 'importMetaFilename',
      'import.meta.dirname': 'importMetaDirname',
    },
    sourcemap: 'inline',
    plugins: [recordFiles],
  };
  const { outputFiles, metafile } = await esbuild.build(options).catch((error: unknown) => {
    throw explainBuildFailure(error, module);
  });
  const external = Object.values(metafile.outputs)
    .flatMap((output) => output.imports)
    .filter((imported) => imported.external === true && !isBuiltin(imported.path))
    .map((imported) => packageNameOf(imported.path));
  return {
    text: outputFiles[0]?.text ?? '',
    files: sortByName(files),
    sources: sortByName(sources),
    packages: [...new Set(external)].sort(compareCodeUnits),
  };
}

function sortByName(hashes: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...hashes].sort(([a], [b]) => compareCodeUnits(a, b)));
}

/** Sources may find files beside themselves through `import.meta`, but the bundle is elsewhere: each keeps its own. */
function keepModulePlace(source: string, file: string): string {
  if (!source.includes('import.meta')) return source;
  const values = [
    `importMetaUrl = ${JSON.stringify(pathToFileURL(file).href)}`,
    `importMetaFilename = ${JSON.stringify(file)}`,
    `importMetaDirname = ${JSON.stringify(path.dirname(file))}`,
  ];
  // On the first line, so that line numbers in errors stay right.
  return `const ${values.join(', ')};${source}`;
}

function explainBuildFailure(error: unknown, module: string): unknown {
  const first = (error as Partial<BuildFailure>).errors?.[0];
  if (first === undefined) return error;
  const { location } = first;
  const where = location === null ? module : `${location.file}:${location.line}:${location.column + 1}`;
  const fix = first.text.startsWith('Could not resolve')
    ? 'Correct the path of the import, or add the file.'
    : undefined;
  return new ReproError('stage-code', first.text, { where, fix, cause: error });
}
