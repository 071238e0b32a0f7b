import { TAU_CHANGES, type TauChange } from '../../results/evaluation-file.ts';
import {
  formatPoints,
  formatPointsRange,
  formatShare,
  joinWords,
  present,
  sentences,
} from '../../verdicts/words.ts';
import { nameEpoch } from '../data/epochs.ts';
import { summariseTests } from '../data/outcome.ts';
import { answerQuestion, type QuestionArm } from '../data/question.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { colorVariable, modelColor, POINT_LABELS } from '../drawing/theme.ts';
import { drawDotPlot } from '../figures/dot-plot.ts';
import {
  makeTable,
  numberColumn,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

const NAMES: Readonly<Record<'unchanged' | TauChange, readonly [title: string, words: string]>> = {
  unchanged: ['as learned', 'τ as learned'],
  'layer-mean': ['at the layer’s mean', 'every τ replaced by its layer’s mean'],
  permuted: ['permuted in layer', 'τ permuted within their layer'],
  'permuted-gain-kept': ['permuted, gain kept', 'τ permuted within their layer and gain for one event kept'],
  'permuted-in-channel': ['permuted in maps', 'τ permuted within their map'],
  jittered: ['jittered', 'τ jittered'],
};

/** A trained model with τ as learned, or after a change. */
interface Changed {
  readonly model: ModelResult;
  readonly change: keyof typeof NAMES;
  /** Mean accuracies over the seeds, with batch norm's statistics as trained and estimated again. */
  readonly asTrained: number;
  readonly again: number;
  /** Beside τ as learned, both with statistics estimated again; null of those themselves. */
  readonly effect: QuestionArm | null;
}

/** Whether trained networks rely on which neuron has which τ; nothing unless that was evaluated. */
export function describeTauChanges(results: Results): Section[] {
  const rows = results.models.flatMap(measureChanges);
  if (rows.length === 0) return [];
  return [
    {
      id: 'tau-changes',
      title: 'Use of the time constants',
      blocks: [
        { kind: 'paragraph', text: answerChanges(rows), lead: true },
        { kind: 'table', table: tabulateChanges(results, rows) },
        { kind: 'figure', figure: drawChanges(results, rows) },
      ],
    },
  ];
}

/** Compares as the arms of a question, for other seeds and other users; the changes of a model share a correction of p. */
function measureChanges(model: ModelResult): Changed[] {
  const changes = TAU_CHANGES.filter((change) => model.runs.every(({ tau }) => tau[change] !== undefined));
  if (changes.length === 0) return [];
  const all = (['unchanged', ...changes] as const).map((change) => {
    const runs = model.runs.map((run) => {
      const wrong = new Set(run.tau[change]!.again.wrong);
      return { ...run, answers: run.answers.map((one) => ({ ...one, right: !wrong.has(one.clip) })) };
    });
    const meanOf = (statistics: 'asTrained' | 'again') =>
      summariseTests(model, ({ tau, chosenEpoch: epoch }) => {
        return { accuracy: tau[change]![statistics].accuracy, epoch };
      }).mean;
    return {
      change,
      asModel: { ...model, id: change, runs },
      asTrained: meanOf('asTrained'),
      again: meanOf('again'),
    };
  });
  const question = answerQuestion(
    { models: all.map(({ asModel }) => asModel) },
    { baseline: 'unchanged', margin: 0 },
  );
  return all.map(({ asModel, ...one }) => {
    return { ...one, model, effect: question?.arms.find((arm) => arm.model === asModel) ?? null };
  });
}

/** Of each change, how many models are less accurate with it than chance explains, and the range of the differences. */
function answerChanges(rows: readonly Changed[]): Text {
  const parts = TAU_CHANGES.flatMap((change) => {
    const effects = rows.flatMap((row) => (row.change === change && row.effect ? [row.effect] : []));
    if (effects.length === 0) return [];
    const worse = effects.filter(
      ({ verdict, difference }) => verdict === 'different' && difference < 0,
    ).length;
    const differences = effects.map(({ difference }) => difference);
    const range = formatPointsRange(Math.min(...differences), Math.max(...differences));
    return `With ${NAMES[change][1]}, ${worse} of ${effects.length} ${effects.length === 1 ? 'model' : 'models'} ${worse === 1 || effects.length === 1 ? 'is' : 'are'} less accurate (${effects.length === 1 ? formatPoints(differences[0]!) : range}).`;
  });
  return [
    { strong: parts.join(' ') },
    ' A model counts as less accurate if p is at most 0.05 after Holm’s correction for its changes. Nothing was trained again: such a model relies on the τ that it has, for memory or because τ also scales a neuron’s input by 1/τ, unless the gain is kept. Whether it needs them shows only beside models that were trained without.',
  ];
}

function tabulateChanges({ models }: Results, rows: readonly Changed[]): Table {
  const others = models.filter((model) => rows.every((row) => row.model !== model));
  const isNormalised = hasBatchNorm(models);
  const hasUsers = models.some(({ runs }) => runs[0]!.answers.some(({ user }) => user !== null));
  const accuracy = 'Test accuracy, by batch norm’s statistics';
  return makeTable(
    {
      id: 'table-tau-changes',
      caption: `Other time constants in the trained networks, at the ${nameEpoch(models)}`,
      notes: present<Text>(
        [
          isNormalised
            ? 'With other τ, batch norm’s statistics no longer fit. So they are estimated again from the training clips, without learning, also with τ as learned. Differences are between networks with statistics estimated again. '
            : '',
          `Intervals are for other seeds and other ${hasUsers ? 'users' : 'clips'}, not corrected. `,
          { code: 'docs/training.md' },
          ' has the changes.',
        ],
        others.length > 0 && [
          `Without τ that differ within a layer: ${joinWords(others.map(({ title }) => title))}.`,
        ],
      ),
    },
    rows,
    [
      textColumn('Model', ({ model }) => model.title),
      textColumn('τ', ({ change }) => NAMES[change][0]),
      isNormalised && numberColumn('As trained', ({ asTrained }) => formatShare(asTrained), accuracy),
      isNormalised
        ? numberColumn('Estimated again', ({ again }) => formatShare(again), accuracy)
        : numberColumn('Test accuracy', ({ again }) => formatShare(again)),
      numberColumn('Difference', ({ effect }) => effect && formatPoints(effect.difference)),
      numberColumn('95\u00a0% interval', ({ effect }) => effect && rangeOf(effect)),
    ],
  );
}

function hasBatchNorm(models: readonly ModelResult[]): boolean {
  return models.some(({ runs }) => runs[0]!.spec.layers.some(({ kind }) => kind === 'batch-norm'));
}

function rangeOf({ certainty }: QuestionArm): string | null {
  return certainty && formatPointsRange(certainty.interval.low, certainty.interval.high);
}

/** A panel for each change, with the difference that it makes to each model. */
function drawChanges({ models, seeds }: Results, rows: readonly Changed[]): Figure {
  const dots = rows.flatMap(({ model, change, effect }) => {
    if (effect === null) return [];
    const { difference: value, certainty } = effect;
    const { low, high } = certainty?.interval ?? { low: value, high: value };
    const color = colorVariable(modelColor(models.indexOf(model)));
    const bySeed = seeds.length > 1 ? effect.seeds : [];
    return [{ change, row: model.title, series: 'difference', value, low, high, color, seeds: bySeed }];
  });
  const all = dots.flatMap(({ low, high, seeds }) => [low, high, ...seeds]);
  return {
    id: 'tau-changes',
    title: 'What other time constants do to trained networks',
    caption: sentences(
      `How much more accurate each network is than with τ as learned, on the test clips${hasBatchNorm(models) ? ', batch norm’s statistics estimated again in both' : ''}; bars show the 95 % interval.`,
      seeds.length > 1 && 'Small ticks are the seeds.',
    ),
    alt: rows
      .flatMap(({ model, change, effect }) => {
        if (effect === null) return [];
        const range = rangeOf(effect);
        return `${model.title}, ${NAMES[change][0]}: ${formatPoints(effect.difference)}${range ? ` (${range})` : ''}.`;
      })
      .join(' '),
    legend: [],
    columns: 2,
    panels: TAU_CHANGES.flatMap((change) => {
      const shown = dots.filter((dot) => dot.change === change);
      if (shown.length === 0) return [];
      return drawDotPlot({
        title: `τ ${NAMES[change][0]}`,
        rows: shown.map(({ row }) => row),
        series: [{ name: 'difference', look: { shape: 'circle', filled: true, size: 70 } }],
        dots: shown,
        rowHeight: 36,
        // Whole points, with room at the ends.
        domain: [
          Math.floor(105 * Math.min(-0.01, ...all)) / 100,
          Math.ceil(105 * Math.max(0.01, ...all)) / 100,
        ],
        axis: { title: 'points more accurate than as learned', labelExpr: POINT_LABELS },
        level: { value: 0, label: 'as learned' },
      });
    }),
    data: [
      [
        ...['model', 'change', 'seeds', 'as_trained', 'again', 'difference'],
        ...['standard_error', 'degrees_of_freedom', 'low_95', 'high_95', 'p', 'p_holm'],
      ],
      ...rows.map(({ model, change, asTrained, again, effect }) => {
        const { error, degrees, interval, p, adjusted } = effect?.certainty ?? {};
        return [
          ...[model.id, change, seeds.length, asTrained, again],
          ...[effect?.difference, error, degrees, interval?.low, interval?.high, p, adjusted].map(
            (value) => value ?? null,
          ),
        ];
      }),
    ],
  };
}
