import { repeatedSteps } from '../../network/spec.ts';
import { countStepsToAnswer, FRAME_ORDERS, type FrameOrder } from '../../results/evaluation-file.ts';
import { summarise } from '../../verdicts/stats/means.ts';
import { formatPoints, formatShare, joinWords, present, sentences } from '../../verdicts/words.ts';
import { nameEpoch } from '../data/epochs.ts';
import { listGuessers, scoreOf, summariseTests } from '../data/outcome.ts';
import type { ModelResult, Results, RunResult } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { modelColor } from '../drawing/theme.ts';
import { describeBand, modelLegend } from '../figures/curves.ts';
import {
  averageSeeds,
  type ChooseAxis,
  drawEpochPanel,
  type EpochLine,
  fitAxis,
} from '../figures/epoch-panel.ts';
import { tabulateRuns } from '../figures/run-table.ts';
import {
  type Block,
  type Cell,
  makeTable,
  numberColumn,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';
import { accuracyCell } from './outcome-tables.ts';

/** How much the networks use the order of frames, and how soon they have their answers. */
export function describeTime(results: Results): Section {
  const texts = [answerOrders(results), answerSteps(results)].filter(({ length }) => length > 0);
  return {
    id: 'time',
    title: 'Time',
    blocks: [
      ...texts.map((text, index): Block => ({ kind: 'paragraph', text, lead: index === 0 })),
      { kind: 'table', table: tabulateTime(results) },
      { kind: 'figure', figure: drawLatency(results) },
    ],
  };
}

const NAMES: Readonly<Record<FrameOrder, { readonly column: string; readonly words: string }>> = {
  reversed: { column: 'Reversed', words: 'reversed' },
  shuffled: { column: 'Shuffled', words: 'shuffled' },
  mean: { column: 'Mean frame', words: 'replaced by their mean' },
};

/** The accuracies of a model's seeds in an order; null unless all have been evaluated in it. */
function accuracyIn(model: ModelResult, order: FrameOrder) {
  if (model.runs.some(({ orders }) => orders[order] === undefined)) return null;
  return summariseTests(model, ({ orders, chosenEpoch: epoch }) => ({
    accuracy: orders[order]!.accuracy,
    epoch,
  }));
}

/** How much accuracy a model loses in an order, over its seeds; null if that was not evaluated. */
export function lossIn(model: ModelResult, order: FrameOrder): number | null {
  const there = accuracyIn(model, order);
  return there && summariseTests(model, scoreOf).mean - there.mean;
}

/** A sentence on what the models lose without the order of their frames; empty if that was not evaluated. */
export function answerOrders({ models }: Results): Text {
  const losses = FRAME_ORDERS.flatMap((order) => {
    const values = present(...models.map((model) => lossIn(model, order)));
    return values.length === 0 ? [] : [{ order, loss: summarise(values).mean }];
  });
  if (losses.length === 0) return [];
  const parts = losses.map(
    ({ order, loss }, index) =>
      `${formatPoints(loss, false)} with ${index === 0 ? 'each clip’s frames' : 'them'} ${NAMES[order].words}`,
  );
  const whose = models.length === 1 ? 'The model loses' : 'On average, the models lose';
  return [
    { strong: `${whose} ${joinWords(parts)}.` },
    ' None was trained on such clips, so this is how much these networks rely on the order, not how much the data need it.',
    losses.some(({ order }) => order === 'mean') ? ' A mean frame also looks unlike any in training.' : '',
  ];
}

/** What each model has right after each step, and its steps to the answer, over its seeds; none for a model that may be guessing. */
function listSteps(results: Results) {
  const guessers = new Set(listGuessers(results).map(({ model }) => model));
  return results.models.flatMap((model) => {
    const { title, runs } = model;
    if (guessers.has(model)) return [];
    const curve = runs[0]!.correctByStep.map(
      (_, step) => summarise(runs.map(({ correctByStep, test }) => correctByStep[step]! / test.clips)).mean,
    );
    const steps = summarise(runs.map(({ correctByStep }) => countStepsToAnswer(correctByStep)));
    return [{ title, runs, curve, steps }];
  });
}

/** Sentences on the models that have their answers first and last, and on those whose accuracy falls on the way. */
export function answerSteps(results: Results): Text {
  const found = listSteps(results);
  const all = found[0]?.curve.length ?? 0;
  if (all === 0) return [];
  const range = (format: (value: number) => string, pick: (one: (typeof found)[number]) => number) => {
    const sorted = [...found].sort((a, b) => pick(a) - pick(b));
    const [low, high] = [sorted[0]!, sorted.at(-1)!];
    const [from, to] = [format(pick(low)), format(pick(high))];
    return from === to ? from : `${from} (${low.title}) to ${to} (${high.title})`;
  };
  const half = Math.ceil(all / 2);
  const whose =
    found.length < results.models.length
      ? 'With the models that are clearly better than guessing, the'
      : 'The';
  return [
    `${whose} clips that are right in the end have their answers after ${range(formatSteps, ({ steps }) => steps.mean)} of ${all} time steps on average, if each keeps its right answer once it has it. `,
    `After ${half}, accuracy is ${range(formatShare, ({ curve }) => curve[half - 1]!)}.`,
    describeFalls(found),
  ];
}

/** A fall of accuracy by less is left to the figure: clips change their answers all the time. */
const LARGE_FALL = 0.1;

function describeFalls(found: ReturnType<typeof listSteps>): string {
  const falls = found.flatMap(({ title, curve, runs }) => {
    const drops = curve.map((value, step) => Math.max(...curve.slice(0, step + 1)) - value);
    const to = drops.indexOf(Math.max(...drops));
    const from = curve.indexOf(Math.max(...curve.slice(0, to + 1)));
    if (drops[to]! < LARGE_FALL) return [];
    const [high, low] = [from, to].map((step) => `${formatShare(curve[step]!)} after step ${step + 1}`);
    return [{ text: `from ${high} to ${low} (${title})`, runs }];
  });
  if (falls.length === 0) return '';
  const isOfMean = falls.every(({ runs }) => runs.every(({ compat }) => compat.loss === 'rate'));
  const why = isOfMean ? ': training asks only for the mean of all steps, not for early answers' : '';
  return ` On the way, accuracy falls ${joinWords(falls.map(({ text }) => text))}${why}.`;
}

function formatSteps(steps: number): string {
  return steps.toFixed(1);
}

function tabulateTime(results: Results): Table {
  const { models, seeds } = results;
  const steps = new Map(listSteps(results).map(({ title, steps }) => [title, steps]));
  const orders = FRAME_ORDERS.filter((order) =>
    models.some(({ runs }) => runs.some((run) => run.orders[order])),
  );
  const group = orders.length === 0 ? undefined : 'Test accuracy, by the order of a clip’s frames';
  const stepsCell = ({ title }: ModelResult): Cell | null => {
    const found = steps.get(title);
    if (found === undefined) return null;
    const details =
      found.count === 1 ? [] : [`${formatSteps(found.min)}–${formatSteps(found.max)} over seeds`];
    return { text: formatSteps(found.mean), details };
  };
  const asIs = (model: ModelResult) => accuracyCell(summariseTests(model, scoreOf));
  return makeTable(
    {
      id: 'table-time',
      caption: `Order of frames, and steps to the answer, at the ${nameEpoch(models)}`,
      notes: [
        [
          `Below each accuracy: its 95 % interval (Wilson${seeds.length > 1 ? ', each clip counted once), and over seeds' : ')'}.`,
          ' Steps to the answer: the mean over the clips that are right in the end, if each keeps its right answer once it has it; none for a model that is not clearly better than guessing.',
        ],
        ...(models.some(({ runs }) => runs.some(({ training }) => training.frameOrder))
          ? [
              [
                'A dash marks a model that was trained on shuffled or mean frames. Its first column is its accuracy on such frames: what training found without the order. More may be possible.',
              ],
            ]
          : []),
        // A still image has no order.
        ...(orders.length > 0 || models.some(({ runs }) => runs.some(({ spec }) => repeatedSteps(spec)))
          ? []
          : [
              [
                'Accuracies in other orders of the frames: ',
                { code: "--set 'evaluate.orders=[reversed,shuffled,mean]'" },
                '.',
              ],
            ]),
      ],
    },
    models,
    [
      textColumn('Model', ({ title }) => title),
      numberColumn('As they are', asIs, group),
      orders.map((order) =>
        numberColumn(NAMES[order].column, (model) => accuracyCell(accuracyIn(model, order)), group),
      ),
      numberColumn('Steps to the answer', stepsCell),
    ],
  );
}

const AXIS: ChooseAxis = (lowest, highest) => ({
  domain: [lowest < 0.3 ? 0 : Math.floor(10 * lowest) / 10, Math.min(1, Math.ceil(20 * highest) / 20)],
  axisTitle: 'test accuracy',
  format: 'percent',
});

/** The test accuracy after each time step, one line per model. */
export function drawLatency(results: Results): Figure {
  const lines = results.models.map(({ title, runs }, index): EpochLine => {
    const seeds = runs.map(listAccuracies);
    const series = seeds.length > 1 ? averageSeeds(seeds, [0, 1]) : { line: seeds.flat(), raw: [], band: [] };
    return { label: title, series, color: modelColor(index), mark: 'line' };
  });
  const steps = Math.max(...lines.map(({ series }) => series.line.length));
  const { axis, notes } = fitAxis(lines, AXIS, null);
  const seeds = results.seeds.length;
  const ends = lines.flatMap(({ label, series: { line } }) => {
    const [first, last] = [line[0], line.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [`${label}: ${formatShare(first.value)} after step 1, ${formatShare(last.value)} in the end.`];
  });
  return {
    id: 'latency',
    title: 'Test accuracy after each time step',
    caption: sentences(
      `Share of the test clips whose class has the most votes up to a step, at the ${nameEpoch(results.models)}; the last step gives the test accuracy.`,
      seeds > 1 && `Lines are means over ${seeds} seeds, bands the ${describeBand(seeds)}.`,
      ...notes,
    ),
    alt: sentences(`Line plot of the test accuracy over ${steps} time steps, one line per model.`, ...ends),
    legend: modelLegend(results).filter(({ mark }) => mark !== 'thin'),
    columns: 1,
    panels: [
      drawEpochPanel({
        ...{ title: '', lines, counts: 'time step', epochs: [1, steps] },
        ...{ ...axis, size: { width: 560, height: 280 } },
      }),
    ],
    data: tabulateRuns(results, ['step', 'clips', 'correct', 'accuracy'], ({ correctByStep, test }) =>
      correctByStep.map((correct, index) => [index + 1, test.clips, correct, correct / test.clips]),
    ),
  };
}

function listAccuracies({ correctByStep, test }: RunResult) {
  return correctByStep.map((correct, index) => ({ epoch: index + 1, value: correct / test.clips }));
}
