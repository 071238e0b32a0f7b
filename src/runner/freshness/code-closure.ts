import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { hashText } from '../../files/canonical-json.ts';
import { type Place, type Problem, throwProblems } from '../../schema/problems.ts';
import { type CacheFolder, fileNameOf } from '../store/cache-folder.ts';
import { digestPath } from '../store/digest.ts';
import type { DigestCache } from '../store/digest-cache.ts';
import type { SourceFile } from './bundle.ts';
import { findMisinstalled, listLockedPackages } from './locked-packages.ts';
import type { Session } from './session.ts';

interface CodeClosure {
  readonly bundleFile: string;
  /** Source file -> sha256 of what it does. */
  readonly files: Readonly<Record<string, string>>;
  /** Source file -> sha256 of its bytes. */
  readonly sources: Readonly<Record<string, string>>;
  /** Package -> locked version, of everything the code needs, directly or not, and of the compiler. */
  readonly packages: Readonly<Record<string, string>>;
  /** Packages that the code imports itself. */
  readonly imports: readonly string[];
}

interface CachedClosure {
  readonly version: 1;
  /** The project's folder: a bundle contains the location of its sources (`import.meta.url`), so a copy of the project needs another. */
  readonly root: string;
  readonly compiler: string;
  readonly bundle: string;
  readonly files: Readonly<Record<string, SourceFile>>;
  readonly imports: readonly string[];
  readonly lock: string;
  readonly packages: Readonly<Record<string, string>>;
}

/**
 * Finds the code closure of stage modules. While no file of a closure has changed, finding it again costs one `stat` per
 * file; the compiler is loaded only when one has changed.
 */
export class CodeClosures {
  readonly #projectRoot: string;
  readonly #folder: CacheFolder;
  readonly #digests: DigestCache;
  readonly #found = new Map<string, Promise<CodeClosure>>();

  constructor(projectRoot: string, folder: CacheFolder, digests: DigestCache) {
    this.#projectRoot = projectRoot;
    this.#folder = folder;
    this.#digests = digests;
  }

  find(module: string): Promise<CodeClosure> {
    const found = this.#found.get(module) ?? this.#find(module);
    this.#found.set(module, found);
    return found;
  }

  /**
   * Before a stage runs: its result would be recorded under the versions of package-lock.json.
   *
   * @throws {ReproError} `packages-differ` if others are installed
   */
  async assertInstalled(module: string): Promise<void> {
    const { imports } = await this.find(module);
    const [first, ...more] = findMisinstalled(this.#projectRoot, imports);
    if (first === undefined) return;
    const rest = more.length === 0 ? '' : `, and ${more.length} more packages differ`;
    throw new ReproError(
      'packages-differ',
      `${first.folder} is ${first.name} ${first.installed}, package-lock.json has ${first.locked}${rest}: the result would be recorded under versions that it was not made with.`,
      { where: module, fix: 'Install what package-lock.json lists: npm ci' },
    );
  }

  async #find(module: string): Promise<CodeClosure> {
    if (!existsSync(path.join(this.#projectRoot, module))) {
      throw new ReproError('stage-module-missing', 'this stage module does not exist', { where: module });
    }
    const cacheFile = path.join(this.#folder.code, `${fileNameOf(module)}.json`);
    const compiler = readCompilerVersion();
    const lock = await this.#digestOf('package-lock.json');
    const cached = readCached(cacheFile);
    const isOurs = cached?.compiler === compiler && cached.root === this.#projectRoot && cached.lock === lock;
    if (isOurs && (await this.#isUnchanged(cached))) return this.#toClosure(cached);
    const { bundleModule } = await import('./bundle.ts');
    const bundle = await bundleModule(this.#projectRoot, module, path.join(this.#folder.code, 'stage.mjs'));
    const closure: CachedClosure = {
      version: 1,
      root: this.#projectRoot,
      compiler,
      bundle: hashText(bundle.text),
      files: bundle.files,
      imports: bundle.packages,
      lock,
      packages: { ...listLockedPackages(this.#projectRoot, bundle.packages), esbuild: compiler },
    };
    await writeFileAtomic(this.#bundleFileOf(closure.bundle), bundle.text);
    await writeFileAtomic(cacheFile, JSON.stringify(closure));
    return this.#toClosure(closure);
  }

  async #isUnchanged(cached: CachedClosure): Promise<boolean> {
    for (const [file, { raw }] of Object.entries(cached.files)) {
      if ((await this.#digestOf(file)) !== raw) return false;
    }
    const bundle = await digestPath(this.#bundleFileOf(cached.bundle), this.#digests);
    return bundle.kind === 'file' && bundle.digest === cached.bundle;
  }

  async #digestOf(file: string): Promise<string> {
    const digest = await digestPath(path.resolve(this.#projectRoot, file), this.#digests);
    return digest.kind === 'file' ? digest.digest : digest.kind;
  }

  #bundleFileOf(hash: string): string {
    return path.join(this.#folder.code, `${hash}.mjs`);
  }

  #toClosure(cached: CachedClosure): CodeClosure {
    const { bundle, packages, imports } = cached;
    const pick = (key: keyof SourceFile): Record<string, string> =>
      Object.fromEntries(Object.entries(cached.files).map(([file, hashes]) => [file, hashes[key]]));
    const bundleFile = this.#bundleFileOf(bundle);
    return { bundleFile, files: pick('code'), sources: pick('raw'), packages, imports };
  }
}

/** From the package's manifest: loading the compiler itself would slow down every run that has nothing to compile. */
function readCompilerVersion(): string {
  const manifest = createRequire(import.meta.url)('esbuild/package.json') as { version: string };
  return manifest.version;
}

/** null if there is none, or if it was written by another version of the runner or cut off: compiling again is cheap. */
function readCached(file: string): CachedClosure | null {
  try {
    const cached = JSON.parse(readFileSync(file, 'utf8')) as CachedClosure;
    return cached.version === 1 ? cached : null;
  } catch {
    return null;
  }
}

/**
 * Compiles the stage modules of instances, as their fingerprints need it anyway, so that an error in one is known before hours are spent on
 * others.
 *
 * @throws {ConfigurationError} with the place of each module's first error
 */
export async function checkCode(session: Session, ids: readonly string[]): Promise<void> {
  const problems: Problem[] = [];
  const checked = new Set<string>();
  for (const id of ids) {
    const command = session.plan.instances.get(id)?.command;
    if (command?.kind !== 'module' || checked.has(command.path)) continue;
    checked.add(command.path);
    try {
      await session.closures.find(command.path);
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push({ at: toPlace(error.where ?? command.path), message: error.message, fix: error.fix });
    }
  }
  throwProblems(problems);
}

function toPlace(where: string): Place {
  const [, file, line, column] = /^(.+):(\d+):(\d+)$/.exec(where) ?? [];
  return file === undefined ? where : { file, line: Number(line), column: Number(column) };
}
