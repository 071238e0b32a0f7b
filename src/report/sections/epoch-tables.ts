import { capitalise } from '../../base/text.ts';
import {
  findPublished,
  judgeComparability,
  THESIS_FIGURE_2_ENDS,
  THESIS_TRAININGS,
  THESIS_TRAININGS_SOURCE,
  type ThesisTraining,
} from '../../results/thesis/published.ts';
import { meanInterval } from '../../verdicts/stats/means.ts';
import {
  formatPercentRange,
  formatQuantity,
  formatShare,
  groupDigits,
  joinWords,
  present,
} from '../../verdicts/words.ts';
import { LATE_EPOCHS, lateAccuracy, nameEpoch } from '../data/epochs.ts';
import type { Outcome } from '../data/outcome.ts';
import type { ModelResult, Results, RunResult, Series } from '../data/results.ts';
import { type Cell, makeTable, numberColumn, type Table, type Text, textColumn } from '../page/document.ts';
import { titleOwnResults } from './outcome-tables.ts';

/** One period of the learning rate; null if the training did not record it. */
function cosinePeriod({ training }: RunResult): number | null {
  const half = training.cosineHalfPeriod;
  return typeof half === 'number' ? 2 * half : null;
}

/** A model's accuracy by one estimate, for the order of the models. */
interface Ranked {
  readonly title: string;
  readonly value: number;
}

/**
 * Estimates of the test accuracy that do not reward noise, beside estimates that do: mean and standard deviation over the last epochs, with
 * the published values where they are comparable.
 */
export function tabulateLate(results: Results, outcomes: readonly Outcome[]): Table {
  const comparable =
    judgeComparability(results) === null && results.models.some((model) => findPublished(model) !== null);
  const [run, published] = [titleOwnResults(results), 'Published'];
  const lastEpochs = `Last ${LATE_EPOCHS} epochs`;
  const longest = Math.max(
    ...results.models.flatMap(({ runs }) => runs.map(({ metrics }) => metrics.epochs.length)),
  );
  const byMaximum = outcomes.map(({ model, maximum }) => ({ title: model.title, value: maximum.test.mean }));
  const byMean = outcomes.flatMap(({ model: { title, runs } }) => {
    const means = runs.flatMap((one) => lateAccuracy(one, cosinePeriod(one))?.mean ?? []);
    return means.length === 0 ? [] : [{ title, value: meanInterval(means).mean }];
  });
  const notes = [
    explainLate(results),
    ...compareOrders(`${run}, from best to worst`, byMaximum, byMean),
    ...(comparable ? explainPublished(results.models) : []),
  ];
  return makeTable({ id: 'table-late', caption: 'Test accuracy over the last epochs', notes }, outcomes, [
    textColumn('Model', ({ model }) => model.title),
    comparable && numberColumn('Maximum', ({ model }) => showShare(findPublished(model)?.test), published),
    comparable && numberColumn(lastEpochs, ({ model }) => publishedCell(trainingOf(model)), published),
    numberColumn('Maximum', ({ maximum }) => formatShare(maximum.test.mean), run),
    numberColumn(capitalise(nameEpoch(results.models)), ({ chosen }) => showShare(chosen.test.mean), run),
    numberColumn('Last cosine cycle', ({ model: { runs } }) => lateCell(runs, cosinePeriod), run),
    // With fewer epochs than either window, both are all of them.
    (comparable || longest > LATE_EPOCHS) &&
      numberColumn(lastEpochs, ({ model: { runs } }) => lateCell(runs, () => LATE_EPOCHS), run),
  ]);
}

/** The published windows order no models: one of the four is missing. */
function explainPublished(models: readonly ModelResult[]): Text[] {
  const known = models.flatMap((model) => {
    const training = trainingOf(model);
    return training === undefined ? [] : [{ title: model.title, training }];
  });
  if (known.length === 0) return [];
  const ends = Object.entries(THESIS_FIGURE_2_ENDS).map(
    ([name, share]) => `${name} at ${formatShare(share)}`,
  );
  const cut = known.filter(({ training: { late } }) => late === null);
  return [
    ...cut.map(({ title, training: { epochs, logged } }) => [
      `The event file of ${title} ends in a dip, at epoch ${groupDigits(logged)} of ${groupDigits(epochs)}, so it does not show the last epochs. Figure 2 of the thesis (page 8, read from its pixels) ends with ${joinWords(ends)}.`,
    ]),
    THESIS_TRAININGS_SOURCE,
  ];
}

function trainingOf(model: ModelResult): ThesisTraining | undefined {
  return THESIS_TRAININGS.get(findPublished(model)?.name ?? '');
}

function showShare(share: number | undefined): string | null {
  return share === undefined ? null : formatShare(share);
}

function publishedCell(training: ThesisTraining | undefined): Cell | null {
  if (training === undefined || training.late === null) return null;
  const { mean, deviation } = training.late;
  const details = [nameEpochs([training.logged - LATE_EPOCHS + 1, training.logged])];
  return { text: formatSpread(mean, deviation), details };
}

/** Of several seeds, both numbers are means over the seeds, and the range of the means is below. */
function lateCell(runs: readonly RunResult[], windowOf: (run: RunResult) => number | null): Cell | null {
  const known = runs.flatMap((run) => lateAccuracy(run, windowOf(run)) ?? []);
  const [first] = known;
  if (first === undefined || known.length < runs.length) return null;
  const means = known.map(({ mean }) => mean);
  const deviations = known.flatMap(({ deviation }) => deviation ?? []);
  const deviation = deviations.length < known.length ? null : meanInterval(deviations).mean;
  const { epochs, tests } = first;
  return {
    text: formatSpread(meanInterval(means).mean, deviation),
    details: present(
      nameEpochs(epochs),
      tests <= epochs[1] - epochs[0] && `${formatQuantity(tests, 'test')} in them`,
      means.length > 1 && `${formatPercentRange(Math.min(...means), Math.max(...means))} over seeds`,
    ),
  };
}

/** `93.9 ± 0.5 %`. */
function formatSpread(mean: number, deviation: number | null): string {
  if (deviation === null) return formatShare(mean);
  return `${(100 * mean).toFixed(1)} ± ${formatShare(deviation)}`;
}

function nameEpochs([first, last]: readonly [number, number]): string {
  return first === last
    ? `epoch ${groupDigits(first)}`
    : `epochs ${groupDigits(first)} to ${groupDigits(last)}`;
}

function explainLate({ models, seeds }: Results): Text {
  const runs = models.flatMap((model) => model.runs);
  const periods = [...new Set(runs.flatMap((run) => cosinePeriod(run) ?? []))];
  const longest = Math.max(...runs.map(({ metrics }) => metrics.epochs.length));
  return present(
    'Mean ± standard deviation over the tested epochs. A maximum grows with the number of epochs and with noise; these do not.',
    periods.length > 0 &&
      ` The last cosine cycle is the last ${periods.map(groupDigits).join(' or ')} epochs, one period of the learning rate.`,
    longest < Math.max(LATE_EPOCHS, ...periods) &&
      ` This run has only ${formatQuantity(longest, 'epoch')}: a longer window uses all of them, even the first, in which the network has hardly learned anything.`,
    seeds.length > 1 && ` Both are averaged over ${seeds.length} seeds; below is the range of the means.`,
  );
}

/** Whether the maximum and the mean over the last epochs order the models alike; nothing for a single model. */
function compareOrders(head: string, byMaximum: readonly Ranked[], byMean: readonly Ranked[]): Text[] {
  if (byMaximum.length < 2 || byMean.length < byMaximum.length) return [];
  const name = (list: readonly Ranked[]) => {
    const sorted = [...list].sort((a, b) => b.value - a.value);
    return joinWords(sorted.map(({ title, value }) => `${title} (${formatShare(value)})`));
  };
  const [largest, steadiest] = [nameLeaders(byMaximum), nameLeaders(byMean)];
  const verdict =
    largest === steadiest ? ` ${largest} by both.` : ` ${largest} by the maximum, ${steadiest} by the mean.`;
  const orders = `by the maximum ${name(byMaximum)}; by the mean over the last cosine cycle ${name(byMean)}.`;
  return [[{ strong: `${head}: ` }, orders + verdict]];
}

/** `λ = .1 leads`, `Baseline and No Reg. lead`: those with the same accuracy as the best. */
function nameLeaders(list: readonly Ranked[]): string {
  const best = Math.max(...list.map(({ value }) => value));
  const titles = list.filter(({ value }) => value === best).map(({ title }) => title);
  return `${joinWords(titles)} ${titles.length === 1 ? 'leads' : 'lead'}`;
}

const LATER_MAXIMA: Text = [
  'Table 1 of the thesis has all best test epochs in the first 600. That holds for the first of each model: the event file of Baseline has the same maximum again in seven epochs from 604 to 1 184.',
];

/** How long each model was trained and when it was best, beside the published trainings where they may be compared. */
export function tabulateBestEpochs(results: Results): Table {
  const comparable =
    judgeComparability(results) === null && results.models.some((model) => trainingOf(model) !== undefined);
  const run = titleOwnResults(results);
  const note = present(
    'Epochs are counted from 1',
    comparable && '; the notebook of the thesis counts from 0, so its numbers are one lower',
    '. Of equally good epochs, this is the first.',
    results.seeds.length > 1 && ' With several seeds, these are the epochs of each, in their order.',
  );
  const notes: Text[] = [note, ...(comparable ? [LATER_MAXIMA, THESIS_TRAININGS_SOURCE] : [])];
  const columns = BEST.map(({ label, published, measure }) => [
    comparable &&
      numberColumn<ModelResult>(
        'Published',
        (model) => listEpochs([trainingOf(model)?.[published] ?? null]),
        label,
      ),
    numberColumn<ModelResult>(
      run,
      ({ runs }) => listEpochs(runs.map(({ metrics }) => measure(metrics))),
      label,
    ),
  ]);
  return makeTable(
    { id: 'table-best-epochs', caption: 'Epochs trained, and best epochs', notes },
    results.models,
    [textColumn('Model', ({ title }) => title), ...columns],
  );
}

/** The columns of that table, each published and measured. */
const BEST: readonly {
  readonly label: string;
  readonly published: 'epochs' | 'bestTestEpoch' | 'bestValidationEpoch';
  readonly measure: (metrics: RunResult['metrics']) => number | null;
}[] = [
  { label: 'Epochs trained', published: 'epochs', measure: ({ epochs }) => epochs.at(-1) ?? null },
  {
    label: 'First best test epoch',
    published: 'bestTestEpoch',
    measure: ({ epochs, accuracy }) => firstBest(epochs, accuracy.test),
  },
  {
    label: 'First best validation epoch',
    published: 'bestValidationEpoch',
    measure: ({ epochs, accuracy }) => firstBest(epochs, accuracy.validation),
  },
];

/** The first epoch with the largest value; null without values, for instance without validation clips. */
function firstBest(epochs: readonly number[], values: Series): number | null {
  const best = Math.max(...values.map((value) => value ?? Number.NEGATIVE_INFINITY));
  return epochs[values.indexOf(best)] ?? null;
}

function listEpochs(epochs: readonly (number | null)[]): string | null {
  const known = epochs.filter((epoch) => epoch !== null);
  return known.length === 0 ? null : [...new Set(known)].map(groupDigits).join(', ');
}
