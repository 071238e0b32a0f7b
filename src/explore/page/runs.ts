import type { Neurons, Trace } from '../../snn/forward.ts';
import { applyEdits, hasEdits } from '../edits.ts';
import type { Frames } from '../messages.ts';
import { type Outcome, readOutcome } from '../outcome.ts';
import { reorderSteps } from '../time-order.ts';
import { type Edits, NO_EDITS, type ViewState } from '../view-state.ts';
import type { Models, Version } from './models.ts';
import type { PageWorker } from './page-worker.ts';

/** A network that has seen a clip. */
export interface Run {
  readonly model: number;
  /** As the network saw them. */
  readonly frames: Frames;
  /** With the reader's edits. */
  readonly neurons: readonly Neurons[];
  readonly trace: Trace;
  readonly outcome: Outcome;
  /** How long the thread computed. */
  readonly milliseconds: number;
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

/** Runs networks in the thread, one view at a time: of the views asked for meanwhile, only the last one is computed. */
export class Runs {
  readonly #worker: PageWorker;
  readonly #models: Models;
  readonly #steps: number;
  readonly #show: (result: Result) => void;
  readonly #fail: (error: unknown) => void;
  #wanted: Wanted | null = null;
  #last: Wanted | null = null;
  #isBusy = false;

  constructor(
    worker: PageWorker,
    models: Models,
    steps: number,
    show: (result: Result) => void,
    fail: (error: unknown) => void,
  ) {
    this.#worker = worker;
    this.#models = models;
    this.#steps = steps;
    this.#show = show;
    this.#fail = fail;
  }

  async want(wanted: Wanted): Promise<void> {
    if (DEPENDS_ON.every((key) => wanted[key] === this.#last?.[key])) return;
    this.#last = wanted;
    this.#wanted = wanted;
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next: Wanted | null = wanted; next !== null; next = this.#wanted) {
      this.#wanted = null;
      try {
        this.#show(await this.#compute(next));
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#isBusy = false;
  }

  async #compute(asked: Wanted): Promise<Result> {
    const { model, beside, frames, order, frozenAt, edits } = asked;
    const ordered = this.#reorder(frames, this.#steps, order, frozenAt);
    const run = await this.#run(model, 'in-use', ordered, edits);
    const isAsTrained = ordered === frames && !hasEdits(edits) && !this.#models.isReplaced(model);
    return {
      asked,
      run,
      trained: isAsTrained ? run.outcome : (await this.#runTrained(model, frames)).outcome,
      beside: beside === null ? null : await this.#runBeside(beside, ordered),
    };
  }

  readonly #reorder = keepLast(reorderSteps);
  readonly #runTrained = keepLast((model: number, frames: Frames) =>
    this.#run(model, 'trained', frames, NO_EDITS),
  );
  readonly #runBeside = keepLast((model: number, frames: Frames) =>
    this.#run(model, 'trained', frames, NO_EDITS),
  );

  async #run(model: number, version: Version, frames: Frames, edits: Edits): Promise<Run> {
    const key = await this.#models.send(model, version);
    const answer = await this.#worker.ask({ kind: 'run', key, frames, steps: this.#steps, edits });
    if (answer.kind !== 'trace') throw new Error(`expected a trace, got ${answer.kind}`);
    const { trace, milliseconds } = answer;
    const neurons = applyEdits(this.#models.neurons(model, version), edits);
    return {
      model,
      frames,
      neurons,
      trace,
      outcome: readOutcome(trace, this.#models.group(model)),
      milliseconds,
    };
  }
}

/** A function that is called again only for other arguments than the last time. */
function keepLast<Arguments extends readonly unknown[], Result>(make: (...given: Arguments) => Result) {
  let last: { readonly given: Arguments; readonly result: Result } | undefined;
  return (...given: Arguments): Result => {
    if (last === undefined || given.some((one, i) => one !== last!.given[i]))
      last = { given, result: make(...given) };
    return last.result;
  };
}
