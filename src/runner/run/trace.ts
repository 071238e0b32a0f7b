import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describeError, ReproError } from '../../errors.ts';
import type { FilePermissions, StageEnd } from '../../executors/executor.ts';
import { type FileAccess, readFileAccesses } from '../../executors/strace.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { isAtOrBelow } from '../../files/path-below.ts';
import {
  adviseAccesses,
  linesToAdd,
  nameOf,
  shownAtMost,
  type UndeclaredAccess,
} from '../../stage/undeclared.ts';
import { listSome } from '../../text.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { Confinement } from './confinement.ts';
import type { RunEvent } from './events.ts';

/**
 * Reports what a traced stage touched without declaring it. A hermetic stage fails because of it, with everything at once, as it would have
 * failed at the first of them without the trace.
 */
export async function reportTrace(
  {
    traceFile,
    declared,
    declaration,
  }: Pick<Confinement, 'declared' | 'declaration'> & { readonly traceFile: string },
  instance: Pick<StageInstance, 'id' | 'hermetic'>,
  end: StageEnd,
  context: { readonly environment: NodeJS.ProcessEnv; readonly onEvent: (event: RunEvent) => void },
): Promise<StageEnd> {
  const undeclared = await findUndeclared(readFileAccesses(readLines(traceFile), declaration.projectRoot), {
    declared: await declared(),
    projectRoot: declaration.projectRoot,
    home: context.environment.HOME ?? null,
    temporary: path.resolve(context.environment.TMPDIR ?? os.tmpdir()),
  });
  // Files that are gone again were temporary, as those that `sed -i` renames.
  const lasting = undeclared.filter((one) => one.access === 'read' || existsSync(one.path));
  const yaml = linesToAdd(lasting, declaration);
  const { id } = instance;
  context.onEvent({ kind: 'traced', id, undeclared, yaml });
  if (undeclared.length === 0) return end;
  const namesOf = (access: UndeclaredAccess['access'], verb: string): string[] => {
    const names = undeclared
      .filter((one) => one.access === access)
      .map((one) => nameOf(one.path, declaration));
    return names.length === 0 ? [] : [`${verb} ${listSome(names, shownAtMost)}`];
  };
  const touched = [...namesOf('read', 'read'), ...namesOf('write', 'wrote')].join('; and ');
  const text = `without declaring it, this stage ${touched}`;
  const heading = `If its result depends on it, add to stage "${declaration.stage}" in pipeline.yaml:`;
  const fix = adviseAccesses(lasting.length > 0 ? lasting : undeclared, declaration, heading);
  if (instance.hermetic && end.kind !== 'interrupted') {
    const error = new ReproError('undeclared-files', text, { where: declaration.where, fix });
    return { kind: 'failed', code: error.code, text: describeError(error) };
  }
  context.onEvent({ kind: 'note', id, level: 'warning', text: `${text}\n${fix}` });
  return end;
}

/** Opens the file only when the first line is asked for: an interface of `readline` that ends before loses its lines, and is waited for forever. */
async function* readLines(file: string): AsyncGenerator<string> {
  const handle = await fs.open(file);
  // Bytes that are not ASCII are escaped.
  yield* handle.readLines({ encoding: 'latin1' });
}

/** What a traced stage declares, and where everything else belongs. All paths are absolute. */
interface TracedStage {
  readonly declared: FilePermissions;
  readonly projectRoot: string;
  /** The user's folder, which holds both data and installed programs. */
  readonly home: string | null;
  /** Where programs put temporary files. */
  readonly temporary: string;
}

/** Whole trees of the operating system; for a trace, which only reports, it is enough to know them roughly. */
const systemTrees =
  '/usr /bin /sbin /lib /lib32 /lib64 /etc /proc /sys /dev /run /var/lib /var/cache /nix /snap'.split(' ');

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
  { declared, projectRoot, home, temporary }: TracedStage,
): Promise<UndeclaredAccess[]> {
  const read = new PathSet(declared.read);
  const write = new PathSet(declared.write);
  const system = new PathSet(systemTrees.filter((one) => !isAtOrBelow(projectRoot, one)));
  const own = new PathSet();
  const reads = new Set<string>();
  const writes = new Set<string>();
  const isLeading = (folder: string): boolean =>
    isAtOrBelow(projectRoot, folder) || declared.read.some((one) => isAtOrBelow(one, folder));
  for await (const { kind, path: file, real } of accesses) {
    if (kind === 'run') {
      for (const one of listInstallation(file, projectRoot, home)) system.add(one);
    }
    const isIn = (set: PathSet): boolean => set.covers(file) || (real !== null && set.covers(real));
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
  const remaining = [...reads].filter((one) => !system.covers(one));
  const never = [projectRoot, home ?? '', temporary];
  return [
    ...withoutParts(nameFolders(remaining, never)).map((one) => ({ access: 'read', path: one }) as const),
    ...withoutParts([...writes]).map((one) => ({ access: 'write', path: one }) as const),
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

/** With a folder in place of many of its files, unless it contains one of those that cannot stand for their files. */
function nameFolders(files: readonly string[], never: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(path.dirname(file), (counts.get(path.dirname(file)) ?? 0) + 1);
  return files.map((file) => {
    const folder = path.dirname(file);
    const isWhole =
      (counts.get(folder) ?? 0) >= filesOfFolder && !never.some((one) => isAtOrBelow(one, folder));
    return isWhole ? folder : file;
  });
}

/** Sorted, without what is below another of them. */
function withoutParts(files: readonly string[]): string[] {
  const kept = new PathSet();
  return [...files].sort(compareCodeUnits).filter((one) => {
    const isPart = kept.covers(one);
    if (!isPart) kept.add(one);
    return !isPart;
  });
}

/** Paths, each with everything below it. */
class PathSet {
  readonly #paths: Set<string>;

  constructor(paths: readonly string[] = []) {
    this.#paths = new Set(paths);
  }

  add(one: string): void {
    this.#paths.add(one);
  }

  covers(file: string): boolean {
    const folder = path.dirname(file);
    return this.#paths.has(file) || (folder !== file && this.covers(folder));
  }
}
