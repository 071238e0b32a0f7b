import { describeError, ReproError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import type { StaleReason } from '../freshness/differences.ts';
import type { Freshness } from '../freshness/freshness.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import { logFileOf } from '../store/cache-folder.ts';
import { storeAgain } from '../store/lost-outputs.ts';
import { restoreOutputs } from '../store/outputs-in-place.ts';
import { durationOf, type RecordedOutput, type RunRecord } from '../store/records.ts';
import type { RunEvent } from './events.ts';
import { describeFailure } from './execution.ts';
import type { Work } from './execution-context.ts';
import { describeShortage, type MachineResources } from './machine.ts';
import { distrustResumes, resumeFoldersOf } from './resume-folder.ts';

/** Fetches an instance that would have to run. @returns whether the store now has its results */
export type FetchStage = (
  session: Session,
  instance: StageInstance,
  freshness: Freshness,
  signal: AbortSignal,
) => Promise<boolean>;

interface PreparationContext {
  readonly session: Session;
  readonly isForced: (id: string) => boolean;
  readonly temporary: string;
  readonly machine: MachineResources;
  readonly signal: AbortSignal;
  readonly fetchStage: FetchStage | undefined;
  readonly onEvent: (event: RunEvent) => void;
  /** What instances have made in this run, or had made before. */
  readonly produced: Map<string, readonly RecordedOutput[]>;
}

/** `hit`: it need not run; `failed`: before it could start; otherwise the work to run. */
export type Prepared = 'hit' | 'failed' | Omit<Work, 'grant'>;

/** Damaged objects that are found are removed, and then the instance is checked again; on a disk where removing fails, this must end. */
const looksAtMost = 3;

/** Decides whether an instance has to run; if not, puts its outputs in place. */
export class Preparation {
  readonly #context: PreparationContext;

  constructor(context: PreparationContext) {
    this.#context = context;
  }

  /** @returns `pending` if its results are being fetched, which may take long */
  async prepare(instance: StageInstance): Promise<Prepared | { readonly pending: Promise<Prepared> }> {
    return this.#guarded(instance, async () => {
      const { session, signal, fetchStage } = this.#context;
      const freshness = await this.#check(instance);
      const mayBeThere = !('record' in freshness) && freshness.fingerprint !== null;
      if (fetchStage === undefined || this.#context.isForced(instance.id) || !mayBeThere) {
        return this.#decide(instance, freshness);
      }
      const pending = this.#guarded(instance, async () => {
        const isFetched = await fetchStage(session, instance, freshness, signal);
        return this.#decide(instance, isFetched ? await this.#check(instance) : freshness);
      });
      return { pending };
    });
  }

  async #guarded<T>({ id }: StageInstance, prepare: () => Promise<T>): Promise<T | 'failed'> {
    try {
      return await prepare();
    } catch (error) {
      const { session, onEvent } = this.#context;
      const explained = explainDiskError(error, { doing: `stage "${id}"`, keepsWork: true });
      const logFile = logFileOf(session.folder, id);
      onEvent({ kind: 'failed', id, seconds: 0, ...describeFailure(explained), logFile, logTail: [] });
      return 'failed';
    }
  }

  #check(instance: StageInstance): Promise<Freshness> {
    const { session, produced } = this.#context;
    return session.freshness.check(instance, (id) => produced.get(id));
  }

  async #decide(instance: StageInstance, found: Freshness): Promise<Prepared> {
    const { isForced, produced } = this.#context;
    let freshness = found;
    if ('reasons' in freshness && freshness.reasons.some(({ cue }) => cue === 'output-altered')) {
      await distrustResumes(this.#context.session, instance.id);
    }
    if (isForced(instance.id)) await this.#dropFinishedResume(instance, freshness);
    for (let looks = 1; !isForced(instance.id) && looks <= looksAtMost; looks += 1) {
      const settled = await this.#settle(instance, freshness);
      if (settled === 'must-run') break;
      if (settled !== 'look-again') {
        produced.set(instance.id, settled.outputs);
        return 'hit';
      }
      freshness = await this.#check(instance);
    }
    const work = this.#workOf(instance, freshness);
    const { command } = instance;
    if (command.kind === 'module') await this.#context.session.closures.assertInstalled(command.path);
    this.#warnOfSize(instance);
    return work;
  }

  async #settle(
    instance: StageInstance,
    freshness: Freshness,
  ): Promise<RunRecord | 'must-run' | 'look-again'> {
    const { id } = instance;
    const { session, temporary, onEvent } = this.#context;
    if (!('record' in freshness)) return 'must-run';
    const { lost } = freshness;
    const record = this.#adopt(freshness.record);
    if (record !== freshness.record) await session.records.writeAction(record);
    if (lost.length > 0) {
      const { isAltered, level, text } = await storeAgain(session, id, lost, temporary);
      onEvent({ kind: 'note', id, level, text });
      if (isAltered) return 'look-again';
    }
    if (freshness.kind === 'fresh') {
      if (!freshness.isLast || record !== freshness.record) await session.records.writeLast(record);
    } else {
      await session.records.writeLast(record);
      const outputs = freshness.damaged.map(({ output }) => output);
      const warn = (text: string): void => onEvent({ kind: 'note', id, level: 'warning', text });
      const problem = await restoreOutputs(session, id, outputs, temporary, warn);
      if (problem !== null) {
        warn(problem);
        // What is damaged there is removed by now.
        return 'look-again';
      }
    }
    await this.#dropLeftResume(instance, record.fingerprint);
    await session.attempts.drop(id);
    onEvent(createHitEvent(id, freshness, false));
    return record;
  }

  /** A trial's record, if its settings are those of the profile by now: it is the profile's result from here on. */
  #adopt(record: RunRecord): RunRecord {
    const { profile, trial } = this.#context.session.plan;
    if (record.overrides === undefined || trial?.reaching.has(record.id) === true) return record;
    const { overrides: _, ...own } = record;
    return { ...own, profile };
  }

  /**
   * Before a forced run, which would otherwise resume at the end of a finished one and compute nothing.
   *
   * @throws {ReproError} `resume-kept` if it cannot be removed
   */
  async #dropFinishedResume(instance: StageInstance, freshness: Freshness): Promise<void> {
    const fingerprint = 'record' in freshness ? freshness.record.fingerprint : freshness.fingerprint;
    if (fingerprint === null) return;
    try {
      for (const folder of resumeFoldersOf(this.#context.session, instance)) {
        await folder.dropIfFinished(fingerprint);
      }
    } catch (cause) {
      const text = `the resume folder of a finished run cannot be removed, and a forced run would resume from it instead of computing: ${describeError(cause)}`;
      const fix = `Remove ${instance.resume.join(', ')}, and run again.`;
      throw new ReproError('resume-kept', text, { fix, cause });
    }
  }

  /** The run that finished may have been killed before it did this. */
  async #dropLeftResume(instance: StageInstance, fingerprint: string): Promise<void> {
    const { session, onEvent } = this.#context;
    try {
      for (const folder of resumeFoldersOf(session, instance)) await folder.dropFinished(fingerprint);
    } catch (error) {
      const text = `its resume folder is no longer needed but cannot be removed: ${describeError(error)}`;
      onEvent({ kind: 'note', id: instance.id, level: 'warning', text });
    }
  }

  #workOf(instance: StageInstance, freshness: Freshness): Omit<Work, 'grant'> {
    const isForced = this.#context.isForced(instance.id);
    const reasons = isForced ? [forcedReason] : 'reasons' in freshness ? freshness.reasons : [];
    if ('record' in freshness) {
      const { fingerprint, parts } = freshness.record;
      return { instance, fingerprint, parts, reasons };
    }
    const { fingerprint, parts } = freshness;
    if (fingerprint === null || parts === null) throw freshness.error;
    return { instance, fingerprint, parts, reasons };
  }

  #warnOfSize({ id, resources }: StageInstance): void {
    const text = describeShortage(resources, this.#context.machine);
    if (text !== null) this.#context.onEvent({ kind: 'note', id, level: 'warning', text });
  }
}

/** What is, or in a rehearsal would be, done about an instance that need not run. */
export function createHitEvent(
  id: string,
  freshness: Extract<Freshness, { kind: 'fresh' | 'restorable' }>,
  isRehearsal: boolean,
): RunEvent {
  const damaged = freshness.kind === 'fresh' ? [] : freshness.damaged;
  return {
    kind: 'cached',
    id,
    restored: damaged.flatMap(({ names }) => names),
    removed: damaged.flatMap(({ strangers }) => strangers),
    isRehearsal,
    made: { metrics: freshness.record.metrics, totalSeconds: durationOf(freshness.record) },
  };
}

export const forcedReason: StaleReason = { cue: 'forced', text: 'forced' };
