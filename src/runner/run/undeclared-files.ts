import { existsSync } from 'node:fs';
import path from 'node:path';
import type { FilePermissions } from '../../executors/executor.ts';
import type { FileAccess } from '../../executors/strace/file-accesses.ts';
import { listSystemFiles } from '../../executors/system-files.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { isAtOrBelow } from '../../files/path-below.ts';
import type { UndeclaredAccess } from '../../stage/undeclared.ts';

/** What a traced stage declares, and where everything else belongs. All paths are absolute. */
export interface TraceSurroundings {
  readonly declared: FilePermissions;
  readonly projectRoot: string;
  /** The user's folder, which holds both data and installed programs. */
  readonly home: string | null;
  /** Where programs put temporary files. */
  readonly temporary: string;
}

/** Whole trees of the operating system; for a trace, which only reports, it is enough to know them roughly. */
const systemTrees = [
  '/usr',
  '/etc',
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/var/lib',
  '/var/cache',
  '/nix',
  '/snap',
];

/** Where a program is installed is the folder above one of these. */
const programFolders = new Set(['bin', 'sbin', 'libexec', 'shims', 'condabin', 'Scripts']);

/** A folder of which so many files are read is an input as a whole. */
const filesOfFolder = 5;

/**
 * The files that a stage touched without declaring them, each once: what it read, and what it wrote elsewhere than to its outputs.
 *
 * Not reported: what the operating system and the programs that it ran consist of, its own temporary files, compiled Python beside its source,
 * and the listing of a folder that leads to a declared file.
 */
export async function findUndeclared(
  accesses: Iterable<FileAccess> | AsyncIterable<FileAccess>,
  { declared, projectRoot, home, temporary }: TraceSurroundings,
): Promise<UndeclaredAccess[]> {
  const read = new PathSet(declared.read);
  const write = new PathSet(declared.write);
  const system = new PathSet([
    ...systemTrees.filter((one) => !isAtOrBelow(projectRoot, one)),
    ...listSystemFiles(projectRoot),
  ]);
  const own = new PathSet([]);
  const reads = new Set<string>();
  const writes = new Set<string>();
  const isLeading = (folder: string): boolean =>
    isAtOrBelow(projectRoot, folder) || declared.read.some((one) => isAtOrBelow(one, folder));
  for await (const { kind, path: file, real } of accesses) {
    if (kind === 'run') {
      for (const one of listInstallation(file, projectRoot, home)) system.add(one);
    }
    const isIn = (set: PathSet): boolean => set.has(file) || (real !== null && set.has(real));
    if (isIn(system) || file.includes('/__pycache__/') || file.endsWith('/__pycache__')) continue;
    const isInProject = isAtOrBelow(file, projectRoot);
    if (kind === 'write') {
      if (isIn(write)) continue;
      own.add(file);
      if (isInProject || !isAtOrBelow(file, temporary)) writes.add(file);
      continue;
    }
    if (isIn(read) || isIn(own)) continue;
    if (kind === 'list' && isLeading(file)) continue;
    // Shells look for programs in many places, and everybody looks at the folders on the way.
    if (kind === 'look' && (!isInProject || isLeading(file))) continue;
    reads.add(file);
  }
  // Programs looked for before it was known where they are installed.
  const remaining = [...reads].filter((one) => !system.has(one));
  return [
    ...condense(remaining, [projectRoot, home, temporary]).map(
      (one) => ({ access: 'read', path: one }) as const,
    ),
    ...condense([...writes], null).map((one) => ({ access: 'write', path: one }) as const),
  ];
}

/** Where a program and its libraries are: `/home/me/conda` for `/home/me/conda/bin/python`. */
function listInstallation(program: string, projectRoot: string, home: string | null): string[] {
  const folder = path.dirname(program);
  if (!programFolders.has(path.basename(folder))) return [];
  const prefix = path.dirname(folder);
  if (isAtOrBelow(projectRoot, prefix) || (home !== null && isAtOrBelow(home, prefix))) return [];
  // ~/.local also holds data.
  if (path.basename(prefix) === '.local') return [folder, path.join(prefix, 'lib')];
  const isEnvironment =
    existsSync(path.join(prefix, 'pyvenv.cfg')) || existsSync(path.join(prefix, 'conda-meta'));
  return isAtOrBelow(prefix, projectRoot) && !isEnvironment ? [] : [prefix];
}

/**
 * Sorted; without what is below another of them, and with a folder in place of many of its files.
 *
 * @param never folders that cannot stand for their files; null: none can
 */
function condense(files: readonly string[], never: readonly (string | null)[] | null): string[] {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(path.dirname(file), (counts.get(path.dirname(file)) ?? 0) + 1);
  const isWhole = (folder: string): boolean =>
    never !== null &&
    (counts.get(folder) ?? 0) >= filesOfFolder &&
    !never.some((one) => one !== null && isAtOrBelow(one, folder));
  const condensed = files.map((file) => (isWhole(path.dirname(file)) ? path.dirname(file) : file));
  const kept = new PathSet([]);
  const found: string[] = [];
  for (const one of [...new Set(condensed)].sort(compareCodeUnits)) {
    if (kept.has(one)) continue;
    kept.add(one);
    found.push(one);
  }
  return found;
}

/** Paths, each with everything below it. */
class PathSet {
  readonly #paths: Set<string>;

  constructor(paths: readonly string[]) {
    this.#paths = new Set(paths);
  }

  add(one: string): void {
    this.#paths.add(one);
  }

  has(file: string): boolean {
    for (let one = file; ; one = path.dirname(one)) {
      if (this.#paths.has(one)) return true;
      if (one === path.dirname(one)) return false;
    }
  }
}
