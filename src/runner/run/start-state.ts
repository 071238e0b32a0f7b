import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ReproError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/files/canonical-json.ts';
import { findReplacedPackage } from '../freshness/locked-packages.ts';
import type { Session } from '../freshness/session.ts';
import { listMakers, makersOf } from '../plan/graph.ts';
import type { StageInstance } from '../plan/plan.ts';
import { digestPath } from '../store/digest.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';

/*
 * What was true when a stage started must be true when it ends: only then do its outputs belong to its fingerprint. Contents alone do not
 * tell: a file that was changed and changed back was read by the stage while it was another.
 */

/** What is true when a stage starts, beside its fingerprint. It can be kept as JSON. */
export interface StartState {
  /** An input, or a file that the command names -> its stamp: see `InputDigests.stamp`. */
  readonly stamps: Readonly<Record<string, string>>;
  /** Those of the inputs that stages make. */
  readonly made: readonly string[];
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
 * Reads the state from which an instance starts, and checks that nothing has changed the outputs of other stages that it reads.
 *
 * @throws {ReproError} `input-changed`, `packages-differ`
 */
export async function readStartState(session: Session, started: Started): Promise<StartState> {
  const { instance, parts } = started;
  const { command } = instance;
  const stamps = await readStamps(session, started);
  const altered = await findAltered(session, instance, parts);
  if (altered !== null) {
    throw new ReproError('input-changed', `${altered} was changed after its stage made it`, {
      fix: 'Run again: it is restored first.',
    });
  }
  const made = listMade(session, started);
  const packages = command.kind === 'module' ? await session.closures.readInstalled(command.path) : {};
  return { stamps, made, packages, revision: await readRevision(session.plan.projectRoot) };
}

/**
 * Of a state, what decides whether work of an interrupted stage is of the inputs as they are now. What stages make does not count: the runner
 * itself replaces and restores it, for another profile, and notices where somebody else has altered it.
 */
export function nameInputs({ stamps, made }: Pick<StartState, 'stamps' | 'made'>): string {
  return canonicalJson(Object.entries(stamps).filter(([name]) => !made.includes(name)));
}

/** As `nameInputs`, of the inputs as they are now. */
export async function nameInputsNow(session: Session, started: Started): Promise<string> {
  return nameInputs({ stamps: await readStamps(session, started), made: listMade(session, started) });
}

function listMade({ plan }: Session, { instance, parts }: Started): string[] {
  return parts.inputs
    .map((input) => input.path)
    .filter((input) => listMakers(makersOf(plan, instance, input)).length > 0);
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
  { stamps, packages }: Pick<StartState, 'stamps' | 'packages'>,
  isHere: boolean,
): Promise<void> {
  const { instance, parts } = started;
  const { command } = instance;
  session.fingerprints.forget();
  if (
    command.kind === 'command' &&
    !isDeepStrictEqual(await session.inputs.digestArguments(command.argv), parts.code)
  ) {
    throw changedMeanwhile('the script named by its command', again);
  }
  for (const [i, input] of instance.inputs.entries()) {
    const now = await session.inputs.readSource(instance, input);
    if (now === undefined) continue;
    if ((now.kind === 'missing' ? 'missing' : now.digest) !== parts.inputs[i]?.digest) {
      throw changedMeanwhile(`input "${input.path}"`, again);
    }
    if (now.kind === 'folder' && !session.store.hasTree(now.digest))
      await session.store.putTree(now.digest, now.tree);
  }
  const altered = await findAltered(session, instance, parts);
  if (altered !== null) {
    const copy = command.kind === 'command' ? ' If the command itself changes it, let it change a copy.' : '';
    throw changedMeanwhile(altered, `Run again: it is restored first.${copy}`);
  }
  for (const [name, stamp] of Object.entries(await readStamps(session, started))) {
    if (stamp === stamps[name]) continue;
    throw changedMeanwhile(`"${name}"`, 'It is now as it was before; run again.', 'was written to');
  }
  const replaced = findReplacedPackage(session.plan.projectRoot, packages);
  if (replaced !== undefined) throw changedMeanwhile(`the package in ${replaced}`, again);
  const facts = isHere ? await session.fingerprints.findFacts(instance) : parts.facts;
  const fact = Object.keys(facts).find((name) => facts[name] !== parts.facts[name]);
  if (fact !== undefined) {
    const [before, now] = [parts.facts[fact], facts[fact]];
    throw changedMeanwhile(`"${fact}" (from ${before} to ${now})`, again);
  }
}

const again = 'Run it again.';

async function readStamps(
  { inputs }: Session,
  { instance: { command }, parts }: Started,
): Promise<Readonly<Record<string, string>>> {
  const stamps: Record<string, string> = {};
  for (const { path: input, of = {} } of parts.inputs)
    stamps[input] = await inputs.stamp(input, Object.keys(of));
  const scripts = command.kind === 'command' ? Object.keys(parts.code) : [];
  for (const script of scripts) stamps[script] = await inputs.stamp(script);
  return stamps;
}

/** The first output of other stages, among the inputs of an instance, that is not what the fingerprint says; null if all are. */
async function findAltered(
  { plan, digests }: Session,
  instance: StageInstance,
  parts: FingerprintParts,
): Promise<string | null> {
  for (const { path: input, digest, of = { [input]: digest } } of parts.inputs) {
    const makers = makersOf(plan, instance, input);
    const [first] = listMakers(makers);
    if (first === undefined) continue;
    for (const [made, expected] of Object.entries(of)) {
      const found = await digestPath(path.resolve(plan.projectRoot, made), digests);
      if (found.kind !== 'missing' && found.digest === expected) continue;
      const id = makers.within.find(({ output }) => output === made)?.id ?? first;
      return `input "${made}", which stage "${id}" makes,`;
    }
  }
  return null;
}

function changedMeanwhile(what: string, fix: string, how = 'changed'): ReproError {
  const text = `${what} ${how} while the stage was running, so its result may match neither version`;
  return new ReproError('input-changed', text, { fix });
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
