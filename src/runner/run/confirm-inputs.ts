import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ReproError } from '../../errors.ts';
import type { Session } from '../freshness/session.ts';
import { listMakers, makersOf } from '../plan/graph.ts';
import type { StageInstance } from '../plan/plan.ts';
import { digestPath } from '../store/digest.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';

interface Confirmed {
  readonly instance: StageInstance;
  readonly parts: FingerprintParts;
}

/** Checks, before an instance starts, that what other stages made for it is still what they made. @throws {ReproError} `input-changed` */
export async function refuseAltered(session: Session, { instance, parts }: Confirmed): Promise<void> {
  const altered = await findAltered(session, instance, parts);
  if (altered === null) return;
  throw new ReproError('input-changed', `${altered} was changed after its stage made it`, {
    fix: 'Run again: it is restored first.',
  });
}

/**
 * Checks, after an instance has run, that its inputs still match the fingerprint, and stores the file lists of folders made by no stage, so that
 * a later difference can be named file by file.
 *
 * @throws {ReproError} `input-changed`
 */
export async function confirmInputs(session: Session, { instance, parts }: Confirmed): Promise<void> {
  const { command } = instance;
  if (
    command.kind === 'command' &&
    !isDeepStrictEqual(await session.inputs.digestArguments(command.argv), parts.code)
  ) {
    throw changedMeanwhile('the script named by its command', 'Run it again.');
  }
  for (const [i, input] of instance.inputs.entries()) {
    const now = await session.inputs.readSource(instance, input);
    if (now === undefined) continue;
    if ((now.kind === 'missing' ? 'missing' : now.digest) !== parts.inputs[i]?.digest) {
      throw changedMeanwhile(`input "${input.path}"`, 'Run it again.');
    }
    if (now.kind === 'folder' && !session.store.hasTree(now.digest))
      await session.store.putTree(now.digest, now.tree);
  }
  const altered = await findAltered(session, instance, parts);
  if (altered === null) return;
  const fix =
    command.kind === 'command'
      ? 'Run again: it is restored first. If the command itself changes it, let it change a copy.'
      : 'Run again: it is restored first.';
  throw changedMeanwhile(altered, fix);
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

function changedMeanwhile(what: string, fix: string): ReproError {
  const text = `${what} changed while the stage was running, so its result matches neither version`;
  return new ReproError('input-changed', text, { fix });
}
