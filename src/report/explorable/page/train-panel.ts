import { html, nothing } from 'lit-html';
import { formatCount } from '../../../base/text.ts';
import type { State } from '../../../formats/tensor.ts';
import { countDenseOperations } from '../../../network/cost.ts';
import { drawLine } from '../charts.ts';
import { keepLast } from '../keep-last.ts';
import type { EmbeddedClip } from '../payload.ts';
import type { PageTrainingProgress, PageTrainingTask } from '../training.ts';
import { describeTraining, type TrainingPoint } from '../words.ts';
import {
  makeNetwork,
  type Network,
  networkInUse,
  payload,
  type Request,
  startThread,
  steps,
  takeError,
  trainedHere,
} from './networks.ts';
import { change, clipOf, stateNow, type View } from './store.ts';

const EPOCHS = 5;

/** Adam starts without moments: with a larger learning rate, its first epochs undo much of what a network has learned. */
const LARGEST_START = 0.001;

/** Multiplications of a step. Those of profile quick take a fortieth; those of the thesis' networks sixteen times as many, and more memory than there is. */
const MOST_WORK = 5e10;

const clipsOf = (split: string) => payload.clips.filter((clip) => clip.split === split);
const counts = { training: clipsOf('train').length, test: clipsOf('test').length };
const batchSize = Math.min(payload.training.batchSize, counts.training);

/** `reached`: null before the first epoch has ended. */
let training: {
  readonly thread: Worker;
  readonly model: number;
  readonly points: readonly TrainingPoint[];
  readonly reached: State | null;
} | null = null;
/** Shown only with the network, clip and edits with which it happened. */
let failure = { text: '', view: [] as readonly unknown[] };

export function isTraining(): boolean {
  return training !== null;
}

/** Trains the shown network on, in a thread of its own. */
function start(): void {
  const { model } = stateNow();
  const { forward, history } = networkInUse(model)!;
  const epochsBefore = history.at(-1)?.epoch ?? 0;
  const { regulariseTau: lambda } = payload.models[model]!;
  const learningRate = Math.min(payload.training.learningRate, LARGEST_START);
  const read = ({ id, class: label }: EmbeddedClip) => ({ frames: clipOf(id)!.frames, label });
  const task: PageTrainingTask = {
    ...{ epochs: EPOCHS, epochsBefore, settings: { ...payload.training, learningRate, lambda } },
    ...{ training: clipsOf('train').map(read), heldOut: clipsOf('test').map(read), clipSteps: steps },
  };
  const thread = startThread();
  let points = history;
  thread.onmessage = ({ data: { state: reached, ...point } }: MessageEvent<PageTrainingProgress>) => {
    points = [...points, point];
    training = { thread, model, points, reached: point.loss === null ? null : reached };
    if (point.epoch === epochsBefore + EPOCHS) stop();
    else change({});
  };
  thread.onerror = (event) => {
    stop();
    failure = { text: `Training failed: ${takeError(event)}`, view: viewOf(model) };
  };
  training = { thread, model, points, reached: null };
  failure = { text: '', view: [] };
  thread.postMessage({ kind: 'train', network: forward, task } satisfies Request);
  change({});
}

function viewOf(model: number) {
  const { clip, edits } = stateNow();
  return [networkInUse(model), clip, edits];
}

/** The page continues with the network of the epochs so far. */
function stop(): void {
  if (training === null) return;
  const { thread, model, points, reached } = training;
  thread.terminate();
  if (reached !== null) trainedHere.set(model, makeNetwork(model, reached, points));
  training = null;
  change({});
}

/** Why the network cannot be trained here; empty if it can. */
function refuse(network: Network | null): string {
  if (counts.training === 0)
    return 'This page holds no clips to train on, since they would make it too large.';
  if (network === null) return 'Choose the file of this network first.';
  const work = 3 * batchSize * countDenseOperations(network.forward.spec, steps);
  if (work < MOST_WORK) return '';
  return `This network is too large to train in a page: a step takes ${Math.round(work / 1e9)} billion multiplications.`;
}

const OFFER = `The network continues to learn in this page, with the engine of this project: ${EPOCHS} epochs of ${formatCount(counts.training, 'clip')} that it has learned from. It is scored on the ${formatCount(counts.test, 'test clip')} of this page, which it has not learned from. Your changes of τ, threshold and reset are not part of the training; they apply to what it has learned. A link to this view does not carry a training. “Undo all changes” brings back the network of the run.`;

/** @param isRecomputing whether the page recomputes a result: one at a time */
export function drawTraining({ state: { model } }: View, isRecomputing: boolean) {
  const network = networkInUse(model);
  const refusal = refuse(network);
  const points = training?.points ?? network?.history ?? [];
  const trained = training?.model ?? model;
  const other = trained === model ? '' : `${payload.models[trained]!.title} is being trained. `;
  const hasFailed = viewOf(model).every((one, i) => one === failure.view[i]);
  const text = hasFailed ? failure.text : other + describeTraining(points, counts);
  // A screen reader should hear how it ended, not each epoch.
  const [click, verb, live] =
    training === null ? [start, `Train ${EPOCHS} epochs`, 'polite'] : [stop, 'Stop', 'off'];
  const controls = html`<button type="button" id="train" ?disabled=${isRecomputing} @click=${click}>${verb}</button>
    ${isRecomputing ? 'A result is being recomputed. Stop it first.' : nothing}
    <p role="status" id="training-text" aria-live=${live}>${text}</p>
    <div class="panels" .innerHTML=${drawCharts(points)}></div>`;
  return html`<section class="training" aria-labelledby="training">
    <h2 id="training">Train it here</h2>
    <p>${refusal || OFFER}</p>
    <div>${refusal !== '' && training === null ? nothing : controls}</div>
  </section>`;
}

/** Loss, score, and mean τ of each layer, which is drawn as a change: all are close to where they were. */
const drawCharts = keepLast((points: readonly TrainingPoint[]): string => {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last.epoch === 0) return '';
  const end = EPOCHS * Math.ceil(last.epoch / EPOCHS);
  const losses = points.flatMap(({ epoch, loss }) => (loss === null ? [] : [[epoch, loss] as const]));
  const scores = points.map(({ epoch, correct }) => [epoch, correct] as const);
  const around = [Math.max(0, first.correct - 2), Math.min(counts.test, first.correct + 2)];
  const taus = first.tau.map((start, layer) => {
    const changes = points.map(({ epoch, tau }) => [epoch, 100 * (tau[layer]! / start - 1)] as const);
    return drawLine(`τ of layer ${layer + 1}, change in %`, changes, end, [-0.1, 0.1]);
  });
  return [
    drawLine('Loss', losses, end, [0, 0.01]),
    drawLine(`Test clips right, of ${counts.test}`, scores, end, around),
    ...taus,
  ].join('');
});
