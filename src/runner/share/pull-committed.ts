import path from 'node:path';
import { describeError, ReproError } from '../../errors.ts';
import { canonicalJson } from '../../files/canonical-json.ts';
import { committedPathOf, readCommittedRecord, whyUnreadable } from '../freshness/committed-records.ts';
import type { Session } from '../freshness/session.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { digestOutput, executablesOf, type Tree } from '../store/digest.ts';
import { restoreOutputs } from '../store/outputs-in-place.ts';
import { haveSameDigests, type RecordedOutput } from '../store/records.ts';
import { readAction } from './checked-reading.ts';
import { fetchOutputs } from './fetch-instance.ts';
import { isAboutOne, type Pulled, type PullOptions, pullUnderLock, warningOf } from './pull-plan.ts';

/**
 * Fetches the outputs that the committed records name, and puts them in place. This needs no data and trusts only the committed digests, not
 * the remote.
 *
 * @throws as `pullPlan`
 */
export function pullCommitted(plan: Plan, options: PullOptions): Promise<Pulled[]> {
  return pullUnderLock(plan, options, async (session, temporary) => {
    const all: Pulled[] = [];
    for (const [id, instance] of plan.instances) {
      if (!options.named.has(id)) continue;
      options.signal?.throwIfAborted();
      const pulled = await pullOne(session, instance, temporary, options);
      all.push(pulled);
      options.onPulled?.(pulled);
    }
    return all;
  });
}

async function pullOne(
  session: Session,
  instance: StageInstance,
  temporary: string,
  options: PullOptions,
): Promise<Pulled> {
  const { id } = instance;
  const base = { id, files: 0, bytes: 0, restored: [] };
  try {
    const { outputs, fingerprint } = readCommitted(session.plan, instance);
    const missing = await findMissing(session, outputs);
    if (missing.length === 0) return { ...base, state: 'present', error: undefined };
    const { downloadedFiles, downloadedBytes } = await fetchOutputs(session, id, missing, options);
    const warnings: string[] = [];
    const problem = await restoreOutputs(session, id, missing, temporary, (text) => warnings.push(text));
    if (problem !== null) throw new ReproError('store-damaged', problem, { fix: 'Pull again.' });
    const warning = await keepRecord(session, { outputs, fingerprint }, options);
    if (warning !== null) warnings.push(warning);
    await session.attempts.drop(id);
    const restored = missing.map((output) => output.path);
    return {
      id,
      state: 'fetched',
      files: downloadedFiles,
      bytes: downloadedBytes,
      restored,
      error: undefined,
      ...warningOf(warnings),
    };
  } catch (error) {
    if (isAboutOne(error)) return { ...base, state: 'failed', error };
    throw error;
  }
}

/**
 * Keeps the remote's record, so that a run that has the data finds the outputs, too. Without it, the outputs in place are still right.
 *
 * @returns null, or why it could not be kept
 */
async function keepRecord(
  session: Session,
  { outputs, fingerprint }: Committed,
  { remote, signal }: PullOptions,
): Promise<string | null> {
  try {
    const record = await readAction(remote, fingerprint, signal);
    if (record !== null && haveSameDigests(record.outputs, outputs))
      await session.records.writeAction({ ...record, outputs });
    return null;
  } catch (error) {
    signal?.throwIfAborted();
    return `in place, but the record that lets a run find it could not be fetched: ${describeError(error)}`;
  }
}

interface Committed {
  readonly outputs: readonly RecordedOutput[];
  readonly fingerprint: string;
}

function readCommitted(plan: Plan, instance: StageInstance): Committed {
  const committed = readCommittedRecord(plan, instance);
  const where = committedPathOf(plan, instance);
  if (committed === null) {
    throw new ReproError('no-record', `this committed record ${whyUnreadable(plan, instance)}`, {
      where,
      fix: 'Where the results are: `repro lock`, and commit it.',
    });
  }
  // Pulling replaces files in these places, so only the pipeline may name them.
  if (canonicalJson(committed.outputs.map((output) => output.path)) !== canonicalJson(instance.outputs)) {
    throw new ReproError('no-record', 'the outputs of this committed record differ from those of the stage', {
      where,
      fix: 'Run the stage again where its data are, then `repro lock`.',
    });
  }
  return committed;
}

function haveModes(tree: Tree, { kind, executable = [] }: RecordedOutput): boolean {
  return kind === 'file' || canonicalJson(executablesOf(tree)) === canonicalJson(executable);
}

async function findMissing(session: Session, outputs: readonly RecordedOutput[]): Promise<RecordedOutput[]> {
  const missing: RecordedOutput[] = [];
  for (const output of outputs) {
    const found = await digestOutput(path.resolve(session.plan.projectRoot, output.path), session.digests);
    if (found.kind === output.kind && found.digest === output.digest && haveModes(found.tree, output))
      continue;
    missing.push(output);
  }
  return missing;
}
