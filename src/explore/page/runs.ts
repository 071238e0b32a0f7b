import type { Neurons, Trace } from '../../snn/forward.ts';
import { applyEdits, hasEdits } from '../edits.ts';
import { keepLast } from '../keep-last.ts';
import type { Frames } from '../messages.ts';
import { type Outcome, readOutcome } from '../outcome.ts';
import { type Edits, NO_EDITS, reorderSteps, type ViewState } from '../view-state.ts';
import type { Models, Network } from './models.ts';
import type { Thread } from './thread.ts';

/** A network that has seen a clip. */
export interface Run {
  readonly network: Network;
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
interface Wanted extends Pick<ViewState, 'beside' | 'clip' | 'order' | 'edits'> {
  readonly frames: Frames;
  readonly network: Network;
}

const DEPENDS_ON = ['network', 'beside', 'frames', 'order', 'edits'] as const;

/**
 * Runs networks in the thread, one view at a time: of the views wanted meanwhile, only the last one is computed.
 *
 * @param steps T
 * @param told what becomes of it; `wait`: whether what is shown is older than what is wanted
 * @returns what asks for a view
 */
export function makeRuns(
  ask: Thread,
  models: Models,
  steps: number,
  told: {
    readonly show: (result: Result) => void;
    readonly fail: (error: unknown) => void;
    readonly wait: (isWaiting: boolean) => void;
  },
): (wanted: Wanted) => Promise<void> {
  const sent = new Map<string, Network>();
  const reorder = keepLast(reorderSteps);
  const [runTrained, runBeside] = [keepLast(run), keepLast(run)];
  let wanted: Wanted | null = null;
  let isBusy = false;

  async function run(network: Network, frames: Frames, edits: Edits): Promise<Run> {
    const { model, config, values, spec, history } = network;
    const key = `${model}${history.length === 0 ? '' : ' trained here'}`;
    const given = sent.get(key) === network ? null : { config, values };
    const answer = await ask({ kind: 'run', key, network: given, frames, steps, edits });
    if (answer.kind !== 'trace') throw new Error(`expected a trace, got ${answer.kind}`);
    sent.set(key, network);
    const { trace } = answer;
    const vote = spec.layers.find((layer) => layer.kind === 'vote');
    const neurons = applyEdits(network.neurons, edits);
    return { network, frames, neurons, trace, outcome: readOutcome(trace, vote?.group ?? 1) };
  }

  async function compute(asked: Wanted): Promise<Result> {
    const { network, frames, order, edits } = asked;
    const ordered = reorder(frames, steps, order);
    const own = await run(network, ordered, edits);
    const trained = models.ofRun(network.model)!;
    const isAsTrained = ordered === frames && !hasEdits(edits) && network === trained;
    const beside = asked.beside === null ? null : models.ofRun(asked.beside);
    return {
      asked,
      run: own,
      trained: isAsTrained ? own.outcome : (await runTrained(trained, frames, NO_EDITS)).outcome,
      beside: beside === null ? null : await runBeside(beside, ordered, NO_EDITS),
    };
  }

  return async (next) => {
    if (DEPENDS_ON.every((key) => next[key] === wanted?.[key])) return;
    wanted = next;
    if (isBusy) return;
    isBusy = true;
    let done: Wanted | null = null;
    while (wanted !== null && wanted !== done) {
      const now: Wanted = wanted;
      told.wait(true);
      try {
        told.show(await compute(now));
      } catch (error) {
        told.fail(error);
        // The same view may be asked for again.
        if (wanted === now) wanted = null;
      }
      told.wait(false);
      done = now;
    }
    isBusy = false;
  };
}
