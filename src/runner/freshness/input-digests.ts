import { statSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits, hashJson } from '../../base/files/canonical-json.ts';
import { isBelow } from '../../base/files/folders.ts';
import { formatPlace } from '../../base/schema/problems.ts';
import { listMakers, type Maker, makersOf } from '../plan/graph.ts';
import type { InputPath, Plan, StageInstance } from '../plan/plan.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { digestBelow, digestPath, type PathDigest, type Tree } from '../store/digest.ts';
import type { DigestCache } from '../store/digest-cache.ts';
import type { InputPart } from '../store/fingerprint-parts.ts';
import type { RecordedOutput } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** What earlier instances produced: their recorded outputs, `pending`, or undefined if they are not part of this run. */
export type ProducedOutputs = (id: string) => readonly RecordedOutput[] | 'pending' | undefined;

/** Finds the digests of inputs, from the records of the stages that made them or from disk. */
export class InputDigests {
  readonly #plan: Plan;
  readonly #digests: DigestCache;
  readonly #store: Store;
  readonly #artifacts: string;
  readonly #sources = new Map<string, Promise<string>>();

  constructor(plan: Plan, folder: CacheFolder, digests: DigestCache, store: Store) {
    this.#plan = plan;
    this.#digests = digests;
    this.#store = store;
    this.#artifacts = path.dirname(folder.root);
  }

  async digest(instance: StageInstance, produced: ProducedOutputs): Promise<InputPart[]> {
    const parts: InputPart[] = [];
    for (const input of instance.inputs) parts.push(await this.#digestOne(instance, input, produced));
    return parts;
  }

  /** Files in the project that a command names, such as the script it runs: argument -> sha256. */
  async digestArguments(argv: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    for (const argument of argv) {
      const absolute = path.resolve(this.#plan.projectRoot, argument);
      if (!isBelow(absolute, this.#plan.projectRoot) || isBelow(absolute, this.#artifacts)) continue;
      if (!isFile(absolute)) continue;
      const digest = await digestPath(absolute, this.#digests);
      if (digest.kind === 'file') found[argument] = digest.digest;
    }
    return found;
  }

  /** The current state of an input that no stage makes, file by file; undefined for stage outputs. */
  async readSource(instance: StageInstance, input: InputPath): Promise<PathDigest | undefined> {
    if (listMakers(makersOf(this.#plan, instance, input.path)).length > 0) return undefined;
    return digestPath(this.#absoluteOf(input.path), this.#digests);
  }

  forget(): void {
    this.#sources.clear();
  }

  async #digestOne(instance: StageInstance, input: InputPath, produced: ProducedOutputs): Promise<InputPart> {
    const absolute = this.#absoluteOf(input.path);
    const { path: name, external } = input;
    const part = { path: name, external, ...(input.name === undefined ? {} : { name: input.name }) };
    const makers = makersOf(this.#plan, instance, input.path);
    const waitsFor = listMakers(makers).filter((id) => produced(id) === 'pending');
    if (waitsFor.length > 0) return { ...part, digest: null, waitsFor };

    const { whole, within } = makers;
    if (whole !== null) {
      const relative = path.posix.relative(whole.output, input.path);
      return { ...part, digest: await this.#digestMade(instance, input, whole, relative, produced) };
    }
    if (within.length > 0) {
      const of: Record<string, string> = {};
      for (const one of within) of[one.output] = await this.#digestMade(instance, input, one, '', produced);
      const list = Object.entries(of).map(([output, digest]) => [this.#relativeTo(absolute, output), digest]);
      list.sort(([a = ''], [b = '']) => compareCodeUnits(a, b));
      // What else is there is left over from other profiles, and does not count.
      return { ...part, digest: hashJson(['outputs', list, null]), of };
    }
    const digest = await this.#digestSource(absolute);
    if (digest === 'missing' && !input.external) throw missingInput(instance, input);
    return { ...part, digest };
  }

  async #digestMade(
    instance: StageInstance,
    input: InputPath,
    maker: Maker,
    relative: string,
    produced: ProducedOutputs,
  ): Promise<string> {
    const outputs = produced(maker.id);
    if (outputs === undefined || outputs === 'pending') {
      // Its stage is not part of this run: what is on disk is taken as it is.
      const target = path.join(this.#absoluteOf(maker.output), relative);
      const digest = await digestPath(target, this.#digests);
      if (digest.kind === 'missing') throw missingInput(instance, input, maker);
      return digest.digest;
    }
    const output = outputs.find((one) => one.path === maker.output);
    if (output === undefined) throw missingInput(instance, input, maker);
    if (relative === '') return output.digest;
    const tree = await this.#treeOf(maker, output);
    const below = digestBelow(tree, relative);
    if (below.kind === 'missing') throw missingInput(instance, input, maker);
    return below.digest;
  }

  async #treeOf(maker: Maker, output: RecordedOutput): Promise<Tree> {
    const stored = output.kind === 'folder' ? await this.#store.findTree(output.digest) : null;
    if (stored !== null) return stored;
    const digest = await digestPath(this.#absoluteOf(maker.output), this.#digests);
    return digest.kind === 'folder' ? digest.tree : { entries: [], emptyFolders: [] };
  }

  /** Read once per run: a data set may be the input of many instances. */
  #digestSource(absolute: string): Promise<string> {
    const known =
      this.#sources.get(absolute) ??
      digestPath(absolute, this.#digests).then((found) =>
        found.kind === 'missing' ? 'missing' : found.digest,
      );
    this.#sources.set(absolute, known);
    return known;
  }

  #absoluteOf(relative: string): string {
    return path.resolve(this.#plan.projectRoot, relative);
  }

  #relativeTo(folder: string, output: string): string {
    return path.relative(folder, path.resolve(this.#plan.projectRoot, output));
  }
}

/** Not asynchronously, which takes ten times as long: in a run that has nothing to do, this is most of the work. */
function isFile(absolute: string): boolean {
  try {
    return statSync(absolute, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // Most arguments are not paths, and may not even be valid ones: a thousand-character script, say.
    return false;
  }
}

function missingInput(instance: StageInstance, input: InputPath, maker?: Maker): ReproError {
  const what = `stage "${instance.stage}": input "${input.path}" does not exist`;
  const [text, fix] =
    maker === undefined
      ? [what, 'Create it, or correct the path.']
      : [`${what}; "${maker.id}" makes it`, `Run that first: ./repro run ${maker.id}`];
  return new ReproError('input-missing', text, { where: formatPlace(input.at), fix });
}
