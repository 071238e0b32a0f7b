import { describeError } from '../../errors.ts';
import { countMultiplications } from '../../snn/spec.ts';
import { formatCount } from '../../text.ts';
import { adoptEdits } from '../edits.ts';
import type { LabelledFrames } from '../messages.ts';
import { describeTraining, type TrainingPoint } from '../words.ts';
import { byId, setText } from './dom.ts';
import { drawLineChart } from './line-chart.ts';
import type { Page, Part } from './view.ts';

const STEPS = 20;

/** Adam starts without moments: with a larger learning rate, its first steps undo much of what a network has learned. */
const LARGEST_START = 0.001;

/** Multiplications of a step. Those of profile quick take a fortieth; those of the thesis' networks sixteen times as many, and more memory than there is. */
const MOST_WORK = 5e10;

/** Trains the shown network on, with the reader's changes, and shows how that goes. */
export function makeTraining(page: Page) {
  const { payload, ask, models } = page;
  const readClips = (split: 'train' | 'test'): LabelledFrames[] =>
    payload.clips
      .filter((clip) => clip.split === split)
      .map(({ id, class: label }) => ({ frames: page.framesOf(id), label }));
  const countClips = (split: string) => payload.clips.filter((clip) => clip.split === split).length;
  const counts = { training: countClips('train'), test: countClips('test') };
  const batchSize = Math.min(payload.training.batchSize, counts.training);
  const [start, stop, bar] = [byId('button', 'train'), byId('button', 'stop'), byId('progress', 'trained')];
  start.textContent = `Train ${STEPS} steps`;
  bar.max = STEPS;
  /** So far; null while nothing is trained. */
  let points: TrainingPoint[] | null = null;
  let isStopping = false;
  let failure = '';

  async function train(): Promise<void> {
    const { model, edits } = page.state();
    const { regulariseTau: lambda } = payload.models[model]!;
    const network = models.inUse(model)!;
    const stepsBefore = models.stepsHere(model);
    const all = [...network.history];
    points = all;
    failure = '';
    page.change({}, false);
    stop.disabled = false;
    stop.focus();
    let left = edits;
    try {
      const adopted = adoptEdits(network, edits);
      const learningRate = Math.min(payload.training.learningRate, LARGEST_START);
      const task = {
        ...{ steps: STEPS, stepsBefore, settings: { ...payload.training, learningRate, lambda } },
        ...{ training: readClips('train'), heldOut: readClips('test'), clipSteps: payload.frames.steps },
      };
      await ask({ kind: 'train', network: adopted.network, task }, (answer) => {
        if (answer.kind !== 'trained') return;
        const { step, values } = answer.progress;
        all.push({ ...answer.progress, step: stepsBefore + step });
        // The new network has the edits: it is shown once they are gone, below.
        if (values === undefined) page.change({}, false);
        else models.replace(model, values, all);
      });
      left = adopted.left;
    } catch (error) {
      failure = `Training failed: ${describeError(error)}`;
    } finally {
      points = null;
      isStopping = false;
      page.change({ edits: left }, false);
      start.disabled = false;
      if (document.activeElement === stop) start.focus();
    }
  }

  /** Why the network cannot be trained here, or what training it does. */
  function offer(model: number): { readonly isPossible: boolean; readonly text: string } {
    const refuse = (text: string) => ({ isPossible: false, text });
    const network = models.inUse(model);
    if (counts.training === 0)
      return refuse('This page holds no clips to train on, since they would make it too large.');
    if (network === null) return refuse('Choose the file of this network first.');
    const work = 3 * batchSize * countMultiplications(network.spec, payload.frames.steps);
    if (work > MOST_WORK)
      return refuse(
        `This network is too large to train in a page: a step takes ${Math.round(work / 1e9)} billion multiplications.`,
      );
    const text = `The network goes on learning in this page, by the engine of this project: ${STEPS} steps, each on ${batchSize} of ${formatCount(counts.training, 'clip')} that it has learned from. The ${formatCount(counts.test, 'test clip')} of this page, a part of all, which it has not learned from, score it. It starts with τ, threshold and reset as you set them: change τ of all neurons, and see how it recovers. “Undo all changes” discards this training and brings back the network of the run.`;
    return { isPossible: true, text };
  }

  start.onclick = train;
  stop.onclick = () => {
    isStopping = true;
    page.change({}, false);
    void ask({ kind: 'stop' });
  };
  let drawn = '';
  const show: Part = ({ state: { model } }) => {
    const { isPossible, text } = offer(model);
    setText(byId('p', 'offer'), text);
    byId('div', 'training-controls').hidden = !isPossible;
    start.disabled = points !== null;
    stop.disabled = points === null || isStopping;
    bar.hidden = points === null;
    const shown = points ?? models.inUse(model)?.history ?? [];
    bar.value = (shown.at(-1)?.step ?? 0) - models.stepsHere(model);
    setText(
      byId('p', 'training-text'),
      failure || (isStopping ? 'Stopping after this step …' : describeTraining(shown, counts)),
    );
    const charts = drawCharts(shown, counts.test);
    if (charts !== drawn) byId('div', 'charts').innerHTML = charts;
    drawn = charts;
  };
  return { show, isTraining: () => points !== null };
}

/** Loss, score, and mean τ of each layer, which is drawn as a change: all are close to where they were. */
function drawCharts(points: readonly TrainingPoint[], clips: number): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || first === last) return ''; // no step yet
  const line = (name: string, read: (point: TrainingPoint) => number | null) => ({
    name,
    points: points.flatMap((point): [number, number][] => {
      const value = read(point);
      return value === null ? [] : [[point.step, value]];
    }),
  });
  const steps = STEPS * Math.max(1, Math.ceil(last.step / STEPS));
  const score = first.correct ?? 0;
  const around = [Math.max(0, score - 2), Math.min(clips, score + 2)];
  const taus = first.tau.map((start, layer) =>
    line(String(layer + 1), ({ tau }) => 100 * (tau[layer]! / start - 1)),
  );
  return [
    drawLineChart('Loss of a batch', steps, [0, 0.01], [line('', ({ loss }) => loss)]),
    drawLineChart(`Test clips right, of ${clips}`, steps, around, [line('', ({ correct }) => correct)], true),
    drawLineChart('Change of mean τ in each layer, in %', steps, [-0.1, 0.1], taus),
  ].join('');
}
