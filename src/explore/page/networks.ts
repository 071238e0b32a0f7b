import { readSafetensors } from '../../formats/safetensors.ts';
import { type ForwardNetwork, type Neurons, prepareNetwork, type Trace } from '../../snn/forward.ts';
import { buildNetwork } from '../../snn/networks.ts';
import { formatCount } from '../../text.ts';
import { applyEdits, hasEdits } from '../edits.ts';
import { keepLast } from '../keep-last.ts';
import { type NetworkValues, stateOf, valuesOf } from '../network-values.ts';
import { type Outcome, readOutcome } from '../outcome.ts';
import { type Frames, type Payload, unpack } from '../payload.ts';
import type { TrainingTask } from '../training.ts';
import { type Edits, NO_EDITS, reorderSteps, type ViewState } from '../view-state.ts';
import type { TrainingPoint } from '../words.ts';
import type { Clip } from './view.ts';

/** A network as the run trained it, or as it was trained on here. */
export interface Network extends NetworkValues {
  readonly model: number;
  /** Ready to run, without the reader's edits. */
  readonly forward: ForwardNetwork;
  /** How it was trained here; empty: not at all. */
  readonly history: readonly TrainingPoint[];
}

/** The networks of the page. */
export class Models {
  readonly #payload: Payload;
  readonly #ofRun = new Map<number, Network>();
  readonly #inUse = new Map<number, Network>();

  constructor(payload: Payload) {
    this.#payload = payload;
  }

  /** As the run trained it. @returns null if the reader must choose the file first */
  ofRun(model: number): Network | null {
    const { tensors } = this.#payload.models[model]!;
    if (!this.#ofRun.has(model) && tensors !== null)
      this.#ofRun.set(model, this.#prepare(model, Float32Array.from(unpack(tensors)), []));
    return this.#ofRun.get(model) ?? null;
  }

  /** As the reader trained it on. */
  inUse(model: number): Network | null {
    return this.#inUse.get(model) ?? this.ofRun(model);
  }

  /** `Baseline`, or `Baseline, trained here for 20 steps`. */
  title(model: number, network = this.inUse(model)): string {
    const { title } = this.#payload.models[model]!;
    const steps = network?.history.at(-1)?.step;
    return steps === undefined ? title : `${title}, trained here for ${formatCount(steps, 'step')}`;
  }

  isTrainedHere(model: number): boolean {
    return this.#inUse.has(model);
  }

  replace(model: number, values: Float32Array, history: readonly TrainingPoint[]): void {
    this.#inUse.set(model, this.#prepare(model, values, history));
  }

  restore(model: number): void {
    this.#inUse.delete(model);
  }

  /** Takes a model's values from its `best.safetensors`. @throws {Error} that says what does not fit */
  async load(model: number, file: File): Promise<void> {
    const { tensors } = readSafetensors(new Uint8Array(await file.arrayBuffer()), file.name);
    const values = valuesOf(this.#payload.models[model]!.config, tensors);
    this.#ofRun.set(model, this.#prepare(model, values, []));
  }

  #prepare(model: number, values: Float32Array, history: readonly TrainingPoint[]): Network {
    const { config } = this.#payload.models[model]!;
    const forward = prepareNetwork(buildNetwork(config), stateOf({ config, values }));
    return { model, config, values, forward, history };
  }
}

/** To a thread, which answers with a `Trace`, or with a `TrainingProgress` before the first and after each step. */
export type Request =
  | {
      readonly kind: 'run';
      readonly network: ForwardNetwork;
      readonly frames: Frames;
      readonly steps: number;
    }
  | { readonly kind: 'train'; readonly network: NetworkValues; readonly task: TrainingTask };

declare const WORKER_SOURCE: string;

/** Starts a thread that computes; its source is part of this script, since a page from the disk cannot load another file. */
export function startThread(): Worker {
  return new Worker(URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' })));
}

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

/** What a result depends on. */
export interface Wanted extends Pick<ViewState, 'order' | 'edits'> {
  readonly network: Network;
  readonly beside: Network | null;
  readonly clip: Clip;
}

/** What there is to show. */
export interface Result {
  readonly wanted: Wanted;
  readonly run: Run;
  /** Of the same network as trained, on the clip as it is; `run` itself if nothing was changed. */
  readonly trained: Run;
  /** Without edits; `run` itself if that is the same. */
  readonly beside: Run | null;
}

/** @returns what runs the networks of a view in a thread; call it again only when it has answered */
export function makeRuns(models: Models, steps: number): (wanted: Wanted) => Promise<Result> {
  const thread = startThread();
  const ask = (request: Request): Promise<Trace> =>
    new Promise((resolve, reject) => {
      thread.onmessage = ({ data }: MessageEvent<Trace>) => resolve(data);
      thread.onerror = ({ message }) => reject(new Error(message));
      thread.postMessage(request);
    });
  const run = async (network: Network, frames: Frames, edits: Edits): Promise<Run> => {
    const neurons = applyEdits(network.forward.neurons, edits);
    const trace = await ask({ kind: 'run', network: { ...network.forward, neurons }, frames, steps });
    const vote = network.forward.spec.layers.find((layer) => layer.kind === 'vote');
    return { network, frames, neurons, trace, outcome: readOutcome(trace, vote?.group ?? 1) };
  };
  const [runTrained, runBeside, reorder] = [keepLast(run), keepLast(run), keepLast(reorderSteps)];
  return async (wanted) => {
    const { network, clip, order, edits } = wanted;
    const own = await run(network, reorder(clip.frames, steps, order), edits);
    const runOther = (runIt: typeof run, other: Network, frames: Frames) =>
      other === network && frames === own.frames && !hasEdits(edits) ? own : runIt(other, frames, NO_EDITS);
    return {
      wanted,
      run: own,
      trained: await runOther(runTrained, models.ofRun(network.model)!, clip.frames),
      beside: wanted.beside && (await runOther(runBeside, wanted.beside, own.frames)),
    };
  };
}
