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
  session: Session,
  instance: StageInstance,
  parts: FingerprintParts,
): Promise<string | null> {
  const { plan, digests } = session;
  const isAs = async (made: string, digest: string | null | undefined): Promise<boolean> => {
    const found = await digestPath(path.resolve(plan.projectRoot, made), digests);
    return found.kind !== 'missing' && found.digest === digest;
  };
  for (const [i, input] of instance.inputs.entries()) {
    const makers = makersOf(plan, instance, input.path);
    const part = parts.inputs[i];
    if (makers.exact !== null || makers.part !== null) {
      if (!(await isAs(input.path, part?.digest))) {
        return `input "${input.path}", which stage "${listMakers(makers)[0]}" makes,`;
      }
      continue;
    }
    for (const { id, output } of makers.within) {
      if (await isAs(output, part?.of?.[output])) continue;
      return `"${output}", which stage "${id}" makes, in input "${input.path}"`;
    }
  }
  return null;
}

function changedMeanwhile(what: string, fix: string): ReproError {
  const text = `${what} changed while the stage was running, so its result matches neither version`;
  return new ReproError('input-changed', text, { fix });
}
