import { countStepsToAnswer, FRAME_ORDERS, type FrameOrder } from '../../results/evaluation-file.ts';
import { repeatedSteps } from '../../snn/spec.ts';
import { summarise } from '../../stats/means.ts';
import { nameEpoch } from '../data/epochs.ts';
import { formatPoints, joinWords } from '../data/format.ts';
import { listGuessers, summariseAccuracy } from '../data/outcome.ts';
import type { ModelResult, Results } from '../data/results.ts';
import { drawLatency } from '../figures/latency.ts';
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

/** How much the networks use the order of frames, and how soon they have their answers; nothing for evaluations of earlier versions. */
export function describeTime(results: Results): Section[] {
  const figure = drawLatency(results);
  if (figure === null) return [];
  const texts = [answerOrders(results), answerSteps(results)].filter(({ length }) => length > 0);
  return [
    {
      id: 'time',
      title: 'Time',
      blocks: [
        ...texts.map((text, index): Block => ({ kind: 'paragraph', text, lead: index === 0 })),
        { kind: 'table', table: tabulateTime(results) },
        { kind: 'figure', figure },
      ],
    },
  ];
}

const NAMES: Readonly<Record<FrameOrder, { readonly column: string; readonly words: string }>> = {
  reversed: { column: 'Reversed', words: 'reversed' },
  shuffled: { column: 'Shuffled', words: 'shuffled' },
  mean: { column: 'Mean frame', words: 'replaced by their mean' },
};

/** The accuracies of a model's seeds in an order; null unless all have been evaluated in it. */
function accuracyIn({ runs }: ModelResult, order: FrameOrder) {
  const found = runs.flatMap(({ orders, chosenEpoch: epoch }) => {
    const score = orders[order];
    return score === undefined ? [] : [{ ...score, epoch }];
  });
  return found.length === runs.length ? summariseAccuracy(found) : null;
}

/** A sentence on what the models lose without the order of their frames; empty if that was not evaluated. */
export function answerOrders({ models }: Results): Text {
  const losses = FRAME_ORDERS.flatMap((order) => {
    const values = models.flatMap((model) => {
      const there = accuracyIn(model, order);
      return there === null ? [] : [summarise(model.runs.map(({ test }) => test.accuracy)).mean - there.mean];
    });
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

/** The mean over the seeds of the steps that each model needs for its answers; a model that may be guessing has none. */
function listSteps(results: Results) {
  const guessers = new Set(listGuessers(results).map(({ model }) => model));
  return results.models.flatMap((model) => {
    if (guessers.has(model)) return [];
    const { title, runs } = model;
    const steps = runs.flatMap(({ correctByStep, test }) =>
      correctByStep === null ? [] : [countStepsToAnswer(correctByStep, test.clips)],
    );
    return steps.length === 0 ? [] : [{ title, ...summarise(steps) }];
  });
}

/** A sentence on the models that have their answers first and last. */
export function answerSteps(results: Results): Text {
  const sorted = listSteps(results).sort((a, b) => a.mean - b.mean);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return [];
  const all = results.models[0]?.runs[0]?.correctByStep?.length ?? 0;
  const name = ({ title, mean }: typeof first) => `${formatSteps(mean)} (${title})`;
  const steps = first.mean === last.mean ? formatSteps(first.mean) : `${name(first)} to ${name(last)}`;
  return [
    `The models${sorted.length < results.models.length ? ' that are clearly better than guessing' : ''} have their answers after ${steps} of ${all} time steps: then their accuracy is at most one point below the final one.`,
  ];
}

function formatSteps(steps: number): string {
  return Number.isInteger(steps) ? String(steps) : steps.toFixed(1);
}

function tabulateTime(results: Results): Table {
  const { models, seeds } = results;
  const steps = new Map(listSteps(results).map(({ title, ...summary }) => [title, summary]));
  const orders = FRAME_ORDERS.filter((order) =>
    models.some(({ runs }) => runs.some((run) => run.orders[order])),
  );
  const group = orders.length === 0 ? undefined : 'Test accuracy, by the order of a clip’s frames';
  const stepsCell = ({ title }: ModelResult): Cell | null => {
    const found = steps.get(title);
    if (found === undefined) return null;
    const details = found.count === 1 ? [] : [`${found.min}–${found.max} over seeds`];
    return { text: formatSteps(found.mean), details };
  };
  const asIs = ({ runs }: ModelResult) =>
    accuracyCell(summariseAccuracy(runs.map(({ test, chosenEpoch: epoch }) => ({ ...test, epoch }))));
  return makeTable(
    {
      id: 'table-time',
      caption: `Order of frames, and steps to the answer, at the ${nameEpoch(models)}`,
      notes: [
        [
          `Below each accuracy: its 95 % interval (Wilson${seeds.length > 1 ? ', each clip counted once), and over seeds' : ')'}.`,
          ' Steps to the answer: the first step at which the accuracy by the votes so far is at most one point below the final one; none for a model that is not clearly better than guessing.',
        ],
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
