import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { hashText, isSameJson } from '../../base/files/canonical-json.ts';
import { type Problem, throwProblems } from '../../base/schema/problems.ts';
import type { Plan } from '../plan/plan.ts';
import { type CacheFolder, fileNameOf } from '../store/cache-folder.ts';
import { digestFile } from '../store/digest.ts';
import type { DigestCache } from '../store/digest-cache.ts';
import { listLockedPackages, readInstalledPackages } from './locked-packages.ts';

interface CodeClosure {
  readonly bundleFile: string;
  /** Source file -> sha256 of what it does. */
  readonly files: Readonly<Record<string, string>>;
  readonly sources: Readonly<Record<string, string>>;
  /** Package -> locked version, of everything the code needs, directly or not, and of the compiler. */
  readonly packages: Readonly<Record<string, string>>;
  readonly imports: readonly string[];
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

  /** Before a stage runs: its result would be recorded under the versions of package-lock.json. @throws {ReproError} `packages-differ` */
  async readInstalled(module: string): Promise<Readonly<Record<string, string>>> {
    const { imports } = await this.find(module);
    return readInstalledPackages(this.#projectRoot, imports, module);
  }

  forget(): void {
    this.#found.clear();
  }

  async #find(module: string): Promise<CodeClosure> {
    if (!existsSync(path.join(this.#projectRoot, module))) {
      throw new ReproError('stage-module-missing', 'this stage module does not exist', { where: module });
    }
    const cacheFile = path.join(this.#folder.code, `${fileNameOf(module)}.json`);
    const compiler = readCompilerVersion();
    // A bundle contains the location of its sources (`import.meta.url`), so a copy of the project needs another.
    const madeFor = [formatVersion, this.#projectRoot, compiler, await this.#digestOf('package-lock.json')];
    const cached = readCached(cacheFile, madeFor);
    if (cached !== null && (await this.#isUnchanged(cached))) return cached;
    const { bundleModule } = await import('./bundle.ts');
    const bundle = await bundleModule(this.#projectRoot, module, path.join(this.#folder.code, 'stage.mjs'));
    const { text, files, sources, packages: imports } = bundle;
    const bundleFile = path.join(this.#folder.code, `${hashText(text)}.mjs`);
    const packages = { ...listLockedPackages(this.#projectRoot, imports), esbuild: compiler };
    const closure: CodeClosure = { bundleFile, files, sources, packages, imports };
    await writeFileAtomic(bundleFile, text);
    await writeFileAtomic(cacheFile, JSON.stringify({ madeFor, closure }));
    return closure;
  }

  async #isUnchanged({ sources, bundleFile }: CodeClosure): Promise<boolean> {
    for (const [file, sha256] of Object.entries(sources)) {
      if ((await this.#digestOf(file)) !== sha256) return false;
    }
    return (await this.#digestOf(bundleFile)) === path.basename(bundleFile, '.mjs');
  }

  #digestOf(file: string): Promise<string> {
    return digestFile(path.resolve(this.#projectRoot, file), this.#digests);
  }
}

/** Raise this when the kept form of a closure changes. */
const formatVersion = 2;

/** From the package's manifest: loading the compiler itself would slow down every run that has nothing to compile. */
function readCompilerVersion(): string {
  const manifest = createRequire(import.meta.url)('esbuild/package.json') as { version: string };
  return manifest.version;
}

/** null if there is none, or if it was made for something else or cut off: compiling again is cheap. */
function readCached(file: string, madeFor: readonly unknown[]): CodeClosure | null {
  try {
    const cached = JSON.parse(readFileSync(file, 'utf8')) as { madeFor: unknown; closure: CodeClosure };
    return isSameJson(cached.madeFor, madeFor) ? cached.closure : null;
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
export async function checkCode(
  { plan, closures }: { readonly plan: Plan; readonly closures: CodeClosures },
  ids: readonly string[],
): Promise<void> {
  const problems: Problem[] = [];
  const checked = new Set<string>();
  for (const id of ids) {
    const command = plan.instances.get(id)?.command;
    if (command?.kind !== 'module' || checked.has(command.path)) continue;
    checked.add(command.path);
    try {
      await closures.find(command.path);
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push({ at: error.where ?? command.path, message: error.message, fix: error.fix });
    }
  }
  throwProblems(problems);
}
