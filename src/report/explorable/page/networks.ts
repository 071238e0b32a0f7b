import { formatCount } from '../../../base/text.ts';
import { readSafetensors } from '../../../formats/safetensors.ts';
import type { State } from '../../../formats/tensor.ts';
import { type ForwardNetwork, type Neurons, prepareNetwork, type Trace } from '../../../network/forward.ts';
import { buildNetwork } from '../../../network/networks.ts';
import { keepLast } from '../keep-last.ts';
import type { RecordingTask } from '../own-clip.ts';
import { type EmbeddedFrames, type Payload, restoreTensor, unpack } from '../payload.ts';
import type { Recipe } from '../recompute.ts';
import type { PageTrainingTask } from '../training.ts';
import { applyEdits, type Edits, hasEdits, NO_EDITS, reorderSteps, type ViewState } from '../view-state.ts';
import { type ClipOutcome, readOutcome, type TrainingPoint } from '../words.ts';

/** To a thread. */
export type Request =
  /** It answers with a `Trace`. */
  | {
      readonly kind: 'run';
      readonly network: ForwardNetwork;
      readonly frames: EmbeddedFrames;
      readonly steps: number;
    }
  /** It answers with a `PageTrainingProgress` before the first and after each epoch. */
  | { readonly kind: 'train'; readonly network: ForwardNetwork; readonly task: PageTrainingTask }
  /** It answers with an `OwnClip`. */
  | { readonly kind: 'read'; readonly task: RecordingTask }
  /** It answers with `RecomputeEvent`s, of which the last is the end. To stop it, end the thread. */
  | { readonly kind: 'recompute'; readonly recipe: Recipe; readonly model: string; readonly seed: number };

declare const WORKER_SOURCE: string;
declare const RECIPE: Recipe;

/** What this page can recompute, of the commit that it was built from. */
export const recipe = RECIPE;

/** The source of a thread is part of this script, since a page from the disk cannot load another file. */
const source = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));

/** Starts a thread that computes. */
export function startThread(): Worker {
  return new Worker(source);
}

/** The only answer of a thread that is not busy. @throws {Error} with what went wrong in it */
export function ask<Answer>(thread: Worker, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    thread.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    thread.onerror = (event) => reject(new Error(takeError(event)));
    thread.postMessage(request);
  });
}

/** What went wrong in a thread, without the `Uncaught ReproError: ` of browsers; it no longer appears in their console. */
export function takeError(event: ErrorEvent): string {
  event.preventDefault();
  return event.message.replace(/^(Uncaught )?\w*Error: /, '');
}

export const payload: Payload = JSON.parse(document.getElementById('payload')?.textContent ?? '');
/** T of all clips. */
export const { steps } = payload.frames;
export const hearsSound = payload.frames.audio !== undefined;
/** What networks do with a clip. */
export const perceive = hearsSound ? 'hear' : 'see';

/** A network as the run trained it, or as it was trained on here. */
export interface Network {
  readonly model: number;
  /** Ready to run, without the reader's edits. */
  readonly forward: ForwardNetwork;
  /** How it was trained here; empty: not at all. */
  readonly history: readonly TrainingPoint[];
}

/** By model: as the run trained them, and as the reader trained them on. */
export const [ofRun, trainedHere] = [new Map<number, Network>(), new Map<number, Network>()];

/** @returns null if the reader must choose the file first */
export function networkOfRun(model: number): Network | null {
  const { file, rounded } = payload.models[model]!;
  if (!ofRun.has(model) && file !== null) {
    const { tensors } = readSafetensors(Uint8Array.from(unpack(file)));
    for (const tensor of rounded) tensors.set(tensor.name, restoreTensor(tensor));
    ofRun.set(model, makeNetwork(model, tensors, []));
  }
  return ofRun.get(model) ?? null;
}

/** The network of a view whose file the reader must choose first, if there is one. */
export function missingNetwork({ model, beside }: ViewState): number | undefined {
  return [model, beside ?? model].find((one) => networkOfRun(one) === null);
}

export function networkInUse(model: number): Network | null {
  return trainedHere.get(model) ?? networkOfRun(model);
}

/** Takes a network from the bytes of its `best.safetensors`. @throws {Error} that says what does not fit */
export function openNetwork(model: number, bytes: Uint8Array, name: string): Network {
  return makeNetwork(model, readSafetensors(bytes, name).tensors, []);
}

export function makeNetwork(model: number, state: State, history: Network['history']): Network {
  const forward = prepareNetwork(buildNetwork(payload.models[model]!.config), state);
  return { model, forward, history };
}

/** `Baseline`, or `Baseline, trained here for 5 epochs`. */
export function titleNetwork(model: number, network = networkInUse(model)): string {
  const { title } = payload.models[model]!;
  const trained = network?.history.at(-1)?.epoch;
  return trained === undefined ? title : `${title}, trained here for ${formatCount(trained, 'epoch')}`;
}

export interface ShownClip {
  readonly title: string;
  /** Its class; null: nobody knows. */
  readonly label: number | null;
  /** [T, 2, H, W], as the payload's `frames` says. */
  readonly frames: EmbeddedFrames;
  /** To be played: `blob:…#t=0,1`, a file and the part of it in seconds; else empty. */
  readonly sound?: string;
}

/** A network that has seen a clip. */
export interface Run {
  readonly network: Network;
  /** As the network saw them. */
  readonly frames: EmbeddedFrames;
  /** With the reader's edits. */
  readonly neurons: readonly Neurons[];
  readonly trace: Trace;
  readonly outcome: ClipOutcome;
}

/** What a result depends on. */
export type Wanted = readonly [
  Network,
  beside: Network | null,
  ShownClip,
  ViewState['order'],
  ViewState['edits'],
];

/** What there is to show. */
export interface Result {
  readonly wanted: Wanted;
  readonly clip: ShownClip;
  readonly run: Run;
  /** Of the same network as trained, on the clip as it is; `run` itself if nothing was changed. */
  readonly trained: Run;
  /** Without edits; `run` itself if that is the same. */
  readonly beside: Run | null;
}

const thread = startThread();

async function run(network: Network, frames: EmbeddedFrames, edits: Edits): Promise<Run> {
  const neurons = applyEdits(network.forward.neurons, edits);
  const changed = { ...network.forward, neurons };
  const trace = await ask<Trace>(thread, { kind: 'run', network: changed, frames, steps });
  const vote = network.forward.spec.layers.find((layer) => layer.kind === 'vote');
  return { network, frames, neurons, trace, outcome: readOutcome(trace, vote?.group ?? 1) };
}

const [runTrained, runBeside, reorder] = [keepLast(run), keepLast(run), keepLast(reorderSteps)];

/** Runs the networks of a view in the thread; call it again only when it has answered. */
export async function runNetworks(wanted: Wanted): Promise<Result> {
  const [network, other, clip, order, edits] = wanted;
  const own = await run(network, reorder(clip.frames, steps, order), edits);
  const runPlain = (runIt: typeof run, one: Network, frames: EmbeddedFrames) =>
    one === network && frames === own.frames && !hasEdits(edits) ? own : runIt(one, frames, NO_EDITS);
  return {
    ...{ wanted, clip, run: own },
    trained: await runPlain(runTrained, networkOfRun(network.model)!, clip.frames),
    beside: other && (await runPlain(runBeside, other, own.frames)),
  };
}
