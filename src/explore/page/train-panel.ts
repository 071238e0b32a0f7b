import { countMultiplications } from '../../snn/spec.ts';
import { formatCount } from '../../text.ts';
import { drawLine } from '../charts.ts';
import { keepLast } from '../keep-last.ts';
import type { TrainingProgress } from '../training.ts';
import { describeTraining, type TrainingPoint } from '../words.ts';
import { byId, setText } from './dom.ts';
import { type Request, startThread } from './networks.ts';
import type { Page, Part } from './view.ts';

const STEPS = 20;

/** Adam starts without moments: with a larger learning rate, its first steps undo much of what a network has learned. */
const LARGEST_START = 0.001;

/** Multiplications of a step. Those of profile quick take a fortieth; those of the thesis' networks sixteen times as many, and more memory than there is. */
const MOST_WORK = 5e10;

/** Trains the shown network on, in a thread of its own, and shows how that goes. */
export function makeTraining({ payload, models, state, change, clipOf }: Page) {
  const readClips = (split: 'train' | 'test') =>
    payload.clips
      .filter((clip) => clip.split === split)
      .map(({ id, class: label }) => ({ frames: clipOf(id)!.frames, label }));
  const countClips = (split: string) => payload.clips.filter((clip) => clip.split === split).length;
  const counts = { training: countClips('train'), test: countClips('test') };
  const batchSize = Math.min(payload.training.batchSize, counts.training);
  const [button, text] = [byId('button', 'train'), byId('p', 'training-text')];
  /** `values`: null before the first step has ended. */
  let training: {
    readonly thread: Worker;
    readonly model: number;
    readonly points: readonly TrainingPoint[];
    readonly values: Float32Array | null;
  } | null = null;
  let failure = '';

  function start(): void {
    const { model } = state();
    const { config, values, history } = models.inUse(model)!;
    const stepsBefore = history.at(-1)?.step ?? 0;
    const { regulariseTau: lambda } = payload.models[model]!;
    const learningRate = Math.min(payload.training.learningRate, LARGEST_START);
    const task = {
      ...{ steps: STEPS, stepsBefore, settings: { ...payload.training, learningRate, lambda } },
      ...{ training: readClips('train'), heldOut: readClips('test'), clipSteps: payload.frames.steps },
    };
    const thread = startThread();
    let points = history;
    thread.onmessage = ({ data: { values, ...point } }: MessageEvent<TrainingProgress>) => {
      points = [...points, { ...point, step: stepsBefore + point.step }];
      training = { thread, model, points, values: point.step === 0 ? null : values };
      if (point.step === STEPS) stop();
      else change({});
    };
    thread.onerror = ({ message }) => {
      failure = `Training failed: ${message}`;
      stop();
    };
    thread.postMessage({ kind: 'train', network: { config, values }, task } satisfies Request);
    [training, failure] = [{ thread, model, points, values: null }, ''];
    change({});
  }

  /** The page goes on with the network of the steps so far. */
  function stop(): void {
    if (training === null) return;
    const { thread, model, points, values } = training;
    thread.terminate();
    if (values !== null) models.replace(model, values, points);
    training = null;
    change({});
  }
  button.onclick = () => (training === null ? start() : stop());

  /** Why the network cannot be trained here; empty if it can. */
  function refuse(model: number): string {
    const network = models.inUse(model);
    if (counts.training === 0)
      return 'This page holds no clips to train on, since they would make it too large.';
    if (network === null) return 'Choose the file of this network first.';
    const work = 3 * batchSize * countMultiplications(network.forward.spec, payload.frames.steps);
    if (work < MOST_WORK) return '';
    return `This network is too large to train in a page: a step takes ${Math.round(work / 1e9)} billion multiplications.`;
  }
  const offer = `The network goes on learning in this page, by the engine of this project: ${STEPS} steps, each on ${batchSize} of ${formatCount(counts.training, 'clip')} that it has learned from. It is scored on the ${formatCount(counts.test, 'test clip')} of this page, which it has not learned from. Your changes of τ, threshold and reset are not part of the training; they apply to what it has learned. A link to this view does not carry a training. “Undo all changes” brings back the network of the run.`;

  const draw = keepLast((points: readonly TrainingPoint[]) => {
    byId('div', 'charts').innerHTML = drawCharts(points, counts.test);
  });
  const show: Part = ({ state: { model } }) => {
    const refusal = refuse(model);
    setText(byId('p', 'offer'), refusal || offer);
    byId('div', 'training-controls').hidden = refusal !== '' && training === null;
    setText(button, training === null ? `Train ${STEPS} steps` : 'Stop');
    const points = training?.points ?? models.inUse(model)?.history ?? [];
    const trained = training?.model ?? model;
    const other = trained === model ? '' : `${payload.models[trained]!.title} is being trained. `;
    // A screen reader should hear how it ended, not each step.
    text.setAttribute('aria-live', training === null ? 'polite' : 'off');
    setText(text, failure || other + describeTraining(points, counts));
    draw(points);
  };
  return { show, isTraining: () => training !== null };
}

/** Loss, score, and mean τ of each layer, which is drawn as a change: all are close to where they were. */
function drawCharts(points: readonly TrainingPoint[], clips: number): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last.step === 0) return '';
  const steps = STEPS * Math.ceil(last.step / STEPS);
  const losses = points.flatMap(({ step, loss }) => (loss === null ? [] : [[step, loss] as const]));
  const scores = points.map(({ step, correct }) => [step, correct] as const);
  const around = [Math.max(0, first.correct - 2), Math.min(clips, first.correct + 2)];
  const taus = first.tau.map((start, layer) => {
    const changes = points.map(({ step, tau }) => [step, 100 * (tau[layer]! / start - 1)] as const);
    return drawLine(`τ of layer ${layer + 1}, change in %`, changes, steps, [-0.1, 0.1]);
  });
  return [
    drawLine('Loss of a batch', losses, steps, [0, 0.01]),
    drawLine(`Test clips right, of ${clips}`, scores, steps, around),
    ...taus,
  ].join('');
}
