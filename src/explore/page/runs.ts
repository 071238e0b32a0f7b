import type { Neurons, Trace } from '../../snn/forward.ts';
import { applyEdits, hasEdits } from '../edits.ts';
import { keepLast } from '../keep-last.ts';
import type { Frames } from '../messages.ts';
import { type Outcome, readOutcome } from '../outcome.ts';
import { reorderSteps } from '../time-order.ts';
import { type Edits, NO_EDITS, type ViewState } from '../view-state.ts';
import type { Version } from './models.ts';
import type { Page } from './view.ts';

/** A network that has seen a clip. */
export interface Run {
  readonly model: number;
  /** As the network saw them. */
  readonly frames: Frames;
  /** With the reader's edits. */
  readonly neurons: readonly Neurons[];
  readonly trace: Trace;
  readonly outcome: Outcome;
}

/** What there is to show. */
export interface Result {
  readonly asked: Wanted;
  readonly run: Run;
  /** Of the same network as trained, on the clip as it is; `run.outcome` itself if nothing was changed. */
  readonly trained: Outcome;
  readonly beside: Run | null;
}

/** What a result depends on. */
interface Wanted extends Omit<ViewState, 'step' | 'show' | 'neuron'> {
  readonly frames: Frames;
  /** Of the model in use. */
  readonly values: Float32Array | null;
}

const DEPENDS_ON = ['model', 'beside', 'frames', 'order', 'frozenAt', 'edits', 'values'] as const;

/**
 * Runs networks in the thread, one view at a time: of the views wanted meanwhile, only the last one is computed.
 *
 * @param told what becomes of it; `wait`: whether what is shown is older than what is wanted
 * @returns what asks for a view
 */
export function makeRuns(
  {
    worker,
    models,
    payload: {
      frames: { steps },
    },
  }: Pick<Page, 'worker' | 'models' | 'payload'>,
  told: {
    readonly show: (result: Result) => void;
    readonly fail: (error: unknown) => void;
    readonly wait: (isWaiting: boolean) => void;
  },
): (wanted: Wanted) => Promise<void> {
  const reorder = keepLast(reorderSteps);
  const asTrained = () =>
    keepLast((model: number, frames: Frames) => run(model, 'trained', frames, NO_EDITS));
  const [runTrained, runBeside] = [asTrained(), asTrained()];
  let last: Wanted | null = null;
  let next: Wanted | null = null;
  let isBusy = false;

  async function run(model: number, version: Version, frames: Frames, edits: Edits): Promise<Run> {
    const key = await models.send(model, version);
    const answer = await worker.ask({ kind: 'run', key, frames, steps, edits });
    if (answer.kind !== 'trace') throw new Error(`expected a trace, got ${answer.kind}`);
    const { trace } = answer;
    const neurons = applyEdits(models.neurons(model, version), edits);
    return { model, frames, neurons, trace, outcome: readOutcome(trace, models.group(model)) };
  }

  async function compute(asked: Wanted): Promise<Result> {
    const { model, beside, frames, order, frozenAt, edits } = asked;
    const ordered = reorder(frames, steps, order, frozenAt);
    const own = await run(model, 'in-use', ordered, edits);
    const isAsTrained = ordered === frames && !hasEdits(edits) && !models.isReplaced(model);
    return {
      asked,
      run: own,
      trained: isAsTrained ? own.outcome : (await runTrained(model, frames)).outcome,
      beside: beside === null ? null : await runBeside(beside, ordered),
    };
  }

  return async (wanted) => {
    if (DEPENDS_ON.every((key) => wanted[key] === last?.[key])) return;
    last = wanted;
    next = wanted;
    if (isBusy) return;
    isBusy = true;
    while (next !== null) {
      const now: Wanted = next;
      next = null;
      told.wait(true);
      try {
        told.show(await compute(now));
      } catch (error) {
        told.fail(error);
      }
      told.wait(false);
    }
    isBusy = false;
  };
}
