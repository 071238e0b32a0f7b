import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { findReplacedPackage } from '../freshness/locked-packages.ts';
import type { Session } from '../freshness/session.ts';
import { makersOf } from '../plan/graph.ts';
import type { StageInstance } from '../plan/plan.ts';
import { digestPath } from '../store/digest.ts';
import type { FingerprintParts, InputPart } from '../store/fingerprint-parts.ts';
import { addWay, findDetour, stampPath, type Way } from '../store/way.ts';

/*
 * What was true when a stage started must be true when it ends: only then do its outputs belong to its fingerprint. Contents alone do not
 * tell: a file that was changed and changed back was read by the stage while it was another.
 */

/** What tells whether the inputs of a stage are, and have always been, what it started from. It can be kept as JSON. */
export interface InputState {
  /**
   * An input that no stage makes, or a file that the command names -> its stamp; an output of another stage -> its token, see `Custody`: the
   * runner itself replaces and restores that, for another profile.
   */
  readonly stamps: Readonly<Record<string, string | null>>;
  /** To all of them. */
  readonly way: Way;
}

/** What is true when a stage starts, beside its fingerprint. It can be kept as JSON. */
export interface StartState extends InputState {
  /** The folder of a package -> the version installed there. */
  readonly packages: Readonly<Record<string, string>>;
  readonly revision: Revision;
}

interface Revision {
  readonly commit: string | null;
  readonly dirty: boolean | null;
}

interface Started {
  readonly instance: StageInstance;
  readonly parts: FingerprintParts;
}

/**
 * Reads the state from which an instance starts, and checks that its inputs are still those of its fingerprint.
 *
 * @throws {ReproError} `input-changed`, `packages-differ`
 */
export async function readStartState(session: Session, started: Started): Promise<StartState> {
  const { command, resume } = started.instance;
  const begin = (output: string) => session.custody.begin(output, resume.length > 0);
  const state = await readInputState(session, started, begin);
  await refuseOthers(session, started);
  const packages = command.kind === 'module' ? await session.closures.readInstalled(command.path) : {};
  return { ...state, packages, revision: await readRevision(session.plan.projectRoot) };
}

/** The state of an instance's inputs now. Changes nothing, unless `tokenOf` does. */
export async function readInputState(
  { plan, custody }: Session,
  { instance, parts }: Started,
  tokenOf = (output: string): Promise<string | null> => custody.find(output),
): Promise<InputState> {
  const stamps: Record<string, string | null> = {};
  const way: Record<string, Way[string]> = {};
  const absoluteOf = (one: string): string => path.resolve(plan.projectRoot, one);
  const scripts = instance.command.kind === 'command' ? Object.keys(parts.code) : [];
  for (const input of [...parts.inputs.map((one) => one.path), ...scripts]) {
    const { whole, within } = makersOf(plan, instance, input);
    const makers = whole === null ? within : [whole];
    if (makers.length === 0) stamps[input] ??= await stampPath(absoluteOf(input), way);
    for (const { output } of makers) {
      stamps[output] ??= await tokenOf(output);
      addWay(absoluteOf(output), way);
    }
  }
  return { stamps, way };
}

/** What may have been another for a while, and how that shows; null if nothing. */
export function findTouched(before: InputState, now: InputState): string | null {
  const touched = Object.keys(now.stamps).find((name) => now.stamps[name] !== before.stamps[name]);
  if (touched !== undefined) return `"${touched}" was written to`;
  const detour = findDetour(before.way, now.way);
  return detour === null ? null : `${detour}, on the way to an input, was moved or replaced`;
}

/**
 * Checks, after an instance has run, that everything is as it was when it started. Stores the file lists of folders that no stage made, so
 * that a later difference can be named file by file.
 *
 * A module runs from its bundle, so an edit of its sources meanwhile does not matter.
 *
 * @param isHere whether it ran on this machine, whose facts these are
 * @throws {ReproError} `input-changed`
 */
export async function confirmStartState(
  session: Session,
  started: Started,
  before: Omit<StartState, 'revision'>,
  isHere: boolean,
): Promise<void> {
  const { instance, parts } = started;
  session.fingerprints.forget();
  for (const input of instance.inputs) {
    const source = await session.inputs.readSource(instance, input);
    if (source?.kind === 'folder' && !session.store.hasTree(source.digest))
      await session.store.putTree(source.digest, source.tree);
  }
  const refuse = (what: string, fix = ''): never => {
    const text = `${what} while the stage was running, so its result may match neither version`;
    throw new ReproError('input-changed', text, { fix: `Run it again.${fix}` });
  };
  const touched = findTouched(before, await readInputState(session, started));
  const copy = ' If a command did that, also by a hard link to it (ln, cp -l), let it use a copy.';
  if (touched !== null) refuse(touched, copy);
  const replaced = findReplacedPackage(session.plan.projectRoot, before.packages);
  if (replaced !== undefined) refuse(`the package in ${replaced} changed`);
  const facts = isHere ? await session.fingerprints.findFacts(instance) : parts.facts;
  const fact = Object.keys(facts).find((name) => facts[name] !== parts.facts[name]);
  if (fact !== undefined) refuse(`"${fact}" (from ${parts.facts[fact]} to ${facts[fact]}) changed`);
}

/** An input that is not what the fingerprint says has been changed since that was found. */
async function refuseOthers({ plan, digests }: Session, { instance, parts }: Started): Promise<void> {
  const scripts = instance.command.kind === 'command' ? Object.entries(parts.code) : [];
  const read: readonly Pick<InputPart, 'path' | 'digest' | 'of'>[] = [
    ...parts.inputs,
    ...scripts.map(([file, digest]) => ({ path: file, digest })),
  ];
  for (const { path: input, digest, of = { [input]: digest } } of read) {
    const { whole, within } = makersOf(plan, instance, input);
    for (const [one, expected] of Object.entries(of)) {
      const found = await digestPath(path.resolve(plan.projectRoot, one), digests);
      if ((found.kind === 'missing' ? 'missing' : found.digest) === expected) continue;
      const maker = whole ?? within.find(({ output }) => output === one);
      const [text, fix] = maker
        ? [`, which stage "${maker.id}" makes, was changed after its stage made it`, 'it is restored first.']
        : [' changed while the stage was about to start', 'it is read again.'];
      throw new ReproError('input-changed', `input "${one}"${text}`, { fix: `Run again: ${fix}` });
    }
  }
}

/** The git commit of a folder and whether anything differs from it; nulls without git, a repository or a commit. */
export async function readRevision(folder: string): Promise<Revision> {
  try {
    const { simpleGit } = await import('simple-git');
    const git = simpleGit(folder);
    const commit = (await git.revparse(['HEAD'])).trim();
    // Without the lock on the index, which a commit that somebody makes meanwhile needs.
    const changes = await git.raw('--no-optional-locks', 'status', '--porcelain');
    return { commit, dirty: changes !== '' };
  } catch {
    return { commit: null, dirty: null };
  }
}
