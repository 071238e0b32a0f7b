import { describeError } from '../../errors.ts';
import { countMultiplications } from '../../snn/spec.ts';
import { adoptEdits } from '../edits.ts';
import type { LabelledFrames, TrainingProgress } from '../messages.ts';
import type { EmbeddedClip } from '../payload.ts';
import { formatValue } from '../scales.ts';
import { describeOffer, describeTraining, type TrainingPoint } from '../words.ts';
import { element } from './dom.ts';
import { drawLineChart } from './line-chart.ts';
import type { Page, Part } from './view.ts';

const STEPS = 20;

/** Adam starts without moments: with a larger learning rate, its first steps undo much of what a network has learned. */
const LARGEST_START = 0.001;

/** Multiplications of a step. Those of profile quick take a fortieth; those of the thesis' networks sixteen times as many, and more memory than there is. */
const MOST_WORK = 5e10;

/** Trains the shown network on, with the reader's changes, and shows how that goes. */
export function makeTrainPanel(page: Page): Part & { readonly isTraining: () => boolean } {
  const { payload, worker, models } = page;
  const [training, test] = (['train', 'test'] as const).map((split) =>
    payload.clips.filter((clip) => clip.split === split),
  ) as [EmbeddedClip[], EmbeddedClip[]];
  const counts = { training: training.length, test: test.length };
  const histories = new Map<number, TrainingPoint[]>();
  let isTraining = false;
  let failure = '';

  const normal = Math.min(payload.training.learningRate, LARGEST_START);
  const rate = element(
    'select',
    {},
    ...[normal / 4, normal, normal * 4].map((value) =>
      element('option', { value, selected: value === normal }, formatValue(value)),
    ),
  );
  const start = makeButton(`Train ${STEPS} steps`, train);
  const stop = makeButton('Stop', () => worker.ask({ kind: 'stop' }));
  const back = makeButton('Back to the trained network', () => {
    models.restore(page.state().model);
    page.change({});
  });
  const bar = element('progress', { max: STEPS, 'aria-label': 'Steps of this training' });
  const status = element('p', { role: 'status' });
  const charts = element('div', { class: 'panels' });
  const controls = element(
    'div',
    {},
    element('p', {}, describeOffer(STEPS, payload.training.batchSize, counts)),
    element('div', { class: 'buttons' }, element('label', {}, 'Learning rate ', rate), start, stop, back),
    bar,
    status,
    charts,
  );
  const refusal = element('p', {});

  async function train(): Promise<void> {
    const { model, edits } = page.state();
    const { config, regulariseTau: lambda } = payload.models[model]!;
    const points = histories.get(model) ?? [];
    const stepsBefore = points.at(-1)?.step ?? 0;
    const settings = { ...payload.training, learningRate: Number(rate.value), lambda };
    const follow = (progress: TrainingProgress) => {
      points.push({ ...progress, step: stepsBefore + progress.step });
      bar.value = progress.step;
      show();
    };
    histories.set(model, points);
    isTraining = true;
    failure = '';
    bar.value = 0;
    show();
    stop.focus();
    page.change({});
    let left = edits;
    try {
      const adopted = adoptEdits({ config, values: models.require(model, 'in-use') }, edits);
      const task = {
        ...{ steps: STEPS, stepsBefore, settings, clipSteps: payload.frames.steps },
        ...{ training: training.map(readClip), heldOut: test.map(readClip) },
      };
      const answer = await worker.ask({ kind: 'train', network: adopted.network, task }, (one) => {
        if (one.kind === 'trained') follow(one.progress);
      });
      if (answer.kind !== 'trained') return;
      follow(answer.progress);
      const { step, values } = answer.progress;
      if (values === undefined) return;
      models.replace(model, values, stepsBefore + step);
      left = adopted.left;
    } catch (error) {
      failure = `Training failed: ${describeError(error)}`;
    } finally {
      isTraining = false;
      page.change({ edits: left }, false);
      show();
      if (document.activeElement === stop) start.focus();
    }
  }

  function readClip({ id, class: label }: EmbeddedClip): LabelledFrames {
    return { frames: page.framesOf(id), label };
  }

  /** Why the network cannot be trained here; empty if it can. */
  function refuse(model: number): string {
    if (training.length === 0)
      return 'This page holds no clips to train on, since they would make it too large.';
    const samples = Math.min(payload.training.batchSize, training.length);
    const work = 3 * samples * countMultiplications(models.spec(model), payload.frames.steps);
    if (work > MOST_WORK) {
      return `This network is too large to train in a page: a step takes ${Math.round(work / 1e9)} billion multiplications.`;
    }
    return models.values(model, 'in-use') === null ? 'Choose the file of this network first.' : '';
  }

  let shown = '';
  function show(): void {
    const { model } = page.state();
    const isReplaced = models.isReplaced(model);
    if (!isTraining && !isReplaced) histories.delete(model);
    const points = histories.get(model) ?? [];
    const refused = refuse(model);
    const now = [model, isTraining, isReplaced, points.length, failure, refused].join();
    if (now === shown) return;
    shown = now;
    refusal.textContent = refused;
    controls.hidden = refused !== '';
    start.disabled = isTraining;
    stop.disabled = !isTraining;
    back.disabled = isTraining || !isReplaced;
    bar.hidden = !isTraining;
    const text = failure || describeTraining(points, counts);
    // Otherwise a screen reader would read it again.
    if (status.textContent !== text) status.textContent = text;
    charts.innerHTML = drawCharts(points, counts.test);
  }

  const root = element(
    'section',
    { class: 'training', 'aria-labelledby': 'training' },
    element('h2', { id: 'training' }, 'Train it here'),
    refusal,
    controls,
  );
  return { root, show, isTraining: () => isTraining };
}

function makeButton(text: string, act: () => unknown): HTMLButtonElement {
  return element('button', { type: 'button', onclick: () => void act() }, text);
}

/** Loss, score, and mean τ of each layer, which is drawn as a change: all are close to where they were. */
function drawCharts(points: readonly TrainingPoint[], clips: number): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return '';
  const line = (read: (point: TrainingPoint) => number | null) =>
    points.flatMap((point): [number, number][] => {
      const value = read(point);
      return value === null ? [] : [[point.step, value]];
    });
  const steps = STEPS * Math.max(1, Math.ceil(last.step / STEPS));
  const score = first.correct ?? 0;
  return [
    drawLineChart({
      title: 'Loss of a batch',
      ...{ steps, around: [0, 0.01], lines: [{ name: '', points: line(({ loss }) => loss) }] },
    }),
    drawLineChart({
      title: `Test clips right, of ${clips}`,
      ...{
        steps,
        around: [Math.max(0, score - 2), Math.min(clips, score + 2)],
        isCount: true,
        lines: [{ name: '', points: line(({ correct }) => correct) }],
      },
    }),
    drawLineChart({
      title: 'Change of mean τ in each layer, in %',
      ...{ steps, around: [-0.1, 0.1] },
      lines: first.tau.map((start, layer) => ({
        name: String(layer + 1),
        points: line(({ tau }) => 100 * (tau[layer]! / start - 1)),
      })),
    }),
  ].join('');
}
