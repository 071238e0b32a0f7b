import { findPublished, hasFolds, judgeComparability, THESIS } from '../../results/thesis/published.ts';
import { meanInterval } from '../../verdicts/stats/means.ts';
import { formatP } from '../../verdicts/stats/p-values.ts';
import { VERDICT_TITLES } from '../../verdicts/verdicts.ts';
import {
  formatPercentRange,
  formatPoints,
  formatPointsRange,
  formatQuantity,
  formatShare,
  groupDigits,
  joinWords,
  lowerFirst,
  present,
  sentences,
  spellCount,
  spellQuantity,
} from '../../verdicts/words.ts';
import { findPublishedTest, type Judgement } from '../claims/judgement.ts';
import { explainTies, nameEpoch } from '../data/epochs.ts';
import { type Accuracy, type Outcome, SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import type { ModelContrasts } from '../data/question.ts';
import type { Results } from '../data/results.ts';
import { type Cell, makeTable, numberColumn, type Table, type Text, textColumn } from '../page/document.ts';
import { VERDICT_TONES } from './claims.ts';

/**
 * The reproduced accuracies beside table 1 of the thesis, with the judgements of the published test accuracies, if any. On other data than
 * those of the thesis, published values are left out.
 */
export function tabulateOutcomes(
  results: Results,
  outcomes: readonly Outcome[],
  judgements: readonly Judgement[],
): Table {
  const comparable = judgeComparability(results) === null;
  const judged = outcomes.map(({ model }) => findPublishedTest(model, judgements));
  const isJudged = judged.some((one) => one !== null);
  const published = 'Published, maximum over epochs';
  const run = titleOwnResults(results);
  const chosen = `${run}, ${nameEpoch(results.models)}`;
  const maximum = `${run}, maximum over epochs`;
  const caption = comparable
    ? `Table 1. Accuracy, published and ${run.toLowerCase()}`
    : `Accuracy of each model, ${run.toLowerCase()}`;
  return makeTable(
    { id: 'table-1', caption, notes: explainOutcomes(results, outcomes, isJudged) },
    outcomes,
    [
      textColumn('Model', ({ model }) => model.title),
      comparable && numberColumn('Test', (one) => publishedCell(one, 'test'), published),
      comparable && numberColumn('Validation', (one) => publishedCell(one, 'validation'), published),
      numberColumn('Test', (one) => accuracyCell(one.chosen.test), chosen),
      numberColumn('Validation', (one) => accuracyCell(one.chosen.validation), chosen),
      numberColumn('Test', (one) => accuracyCell(one.maximum.test), maximum),
      numberColumn('Validation', (one) => accuracyCell(one.maximum.validation), maximum),
      isJudged && textColumn('Published test accuracy', (_, i) => judgementCell(judged[i] ?? null)),
    ],
  );
}

/** Only recordings of the thesis' data set can reproduce anything of it. */
export function titleOwnResults(results: Results): string {
  switch (judgeComparability(results)) {
    case 'simulated':
      return 'On simulated data';
    case 'other-dataset':
      return 'On other data';
    case 'folds':
      return 'On folds of users';
    case null:
      return 'Reproduced';
  }
}

/** One row per run and one for the mean of each model, for several seeds. */
export function tabulateSeeds(outcomes: readonly Outcome[]): Table {
  const isRange = (outcomes[0]?.model.runs.length ?? 0) < SEEDS_FOR_INTERVAL;
  const notes = [
    [isRange ? 'Below each mean: the range.' : 'Below each mean: its 95 % interval over seeds (Student).'],
  ];
  const rows = outcomes.flatMap(({ model, chosen, maximum }) => [
    ...model.runs.map((run) => ({
      model,
      seed: String(run.seed),
      users: (run.testUsers ?? []).join(', '),
      epoch: {
        text: groupDigits(run.chosenEpoch),
        details: run.chosenOn === 'test' ? ['on the test clips'] : [],
      },
      accuracies: [
        ...[runCell(run.test), runCell(run.validation)],
        ...[run.maximum.test, run.maximum.validation].map((one) => runCell(one, one?.epoch)),
      ],
    })),
    {
      ...{ model, seed: 'mean', users: '', epoch: null },
      accuracies: [chosen.test, chosen.validation, maximum.test, maximum.validation].map(meanCell),
    },
  ]);
  return makeTable({ id: 'table-seeds', caption: 'Accuracy of each run', notes }, rows, [
    textColumn('Model', ({ model }) => model.title),
    numberColumn('Seed', ({ seed }) => seed),
    rows.some(({ users }) => users !== '') && textColumn('Users tested', ({ users }) => users),
    numberColumn('Epoch chosen', ({ epoch }) => epoch),
    ['Test', 'Validation', 'Maximum test', 'Maximum validation'].map((label, i) =>
      numberColumn(label, ({ accuracies }) => accuracies[i] ?? null),
    ),
  ]);
}

/** The differences from the first model as a table. */
export function tabulateDifferences({ first, others, design, unknown }: ModelContrasts): Table {
  const notes: Text[] = [
    [
      `Tests and intervals are over ${design}; `,
      { code: 'docs/claims.md' },
      ` has the method. The last column is Holm-corrected for ${spellQuantity(others.length, 'comparison')}; the intervals are not. A large p is no evidence that models are equal.`,
      others.some(({ contrast }) => contrast.certainty === null) ? ` –: ${lowerFirst(unknown)}` : '',
    ],
  ];
  const caption = `Difference in test accuracy from ${first.title}`;
  return makeTable({ id: 'table-differences', caption, notes }, others, [
    textColumn('Model', ({ model }) => model.title),
    numberColumn('Difference', ({ contrast }) => formatPoints(contrast.difference)),
    numberColumn('95\u00a0% interval', ({ contrast: { certainty } }) => {
      return certainty && formatPointsRange(certainty.interval.low, certainty.interval.high);
    }),
    numberColumn('p', ({ contrast: { certainty } }) => certainty && formatP(certainty.p)),
    numberColumn('p, corrected', ({ contrast: { certainty } }) => certainty && formatP(certainty.adjusted)),
  ]);
}

function judgementCell(judgement: Judgement | null): Cell | null {
  if (judgement === null) return null;
  const { verdict } = judgement;
  return { text: VERDICT_TITLES[verdict], details: ['by the maximum'], ...VERDICT_TONES[verdict] };
}

function publishedCell({ model }: Outcome, split: 'test' | 'validation'): Cell | null {
  const published = findPublished(model);
  const share = published?.[split] ?? null;
  if (published === null || share === null) return null;
  const text = formatShare(share);
  // The published validation accuracies come from 128 different random clips in each epoch, so they have no single count.
  if (split === 'validation') return { text };
  const clips = `${Math.round(share * THESIS.clips.test)} of ${THESIS.clips.test}`;
  return { text, details: published.source === 'fang' ? [clips, 'Fang et al. 2021'] : [clips] };
}

/** An accuracy with its intervals, or with one seed its clips and epoch. */
export function accuracyCell(accuracy: Accuracy | null): Cell | null {
  if (accuracy === null) return null;
  const { interval, overUsers, mean, clips, epochs } = accuracy;
  return {
    text: formatShare(mean),
    details: [
      formatPercentRange(interval.low, interval.high),
      ...(overUsers === null ? [] : [`${formatPercentRange(overUsers.low, overUsers.high)} over users`]),
      ...(accuracy.count === 1
        ? [`${Math.round(mean * clips)} of ${clips}`, `epoch ${groupDigits(epochs[0] ?? 0)}`]
        : [formatSeeds(accuracy, ' over seeds'), formatQuantity(clips, 'clip')]),
    ],
  };
}

function meanCell(accuracy: Accuracy | null): Cell | null {
  return accuracy && { text: formatShare(accuracy.mean), details: [formatSeeds(accuracy)] };
}

/** Student's interval of the mean over seeds; with two seeds, their range, because the interval would be too wide to be useful. */
function formatSeeds({ values, min, max }: Accuracy, after = ''): string {
  const { low, high } = meanInterval(values);
  if (values.length < SEEDS_FOR_INTERVAL) return formatPercentRange(min, max) + after;
  if (min === max || low === null || high === null) return 'the same for all seeds';
  return formatPercentRange(Math.max(0, low), Math.min(1, high)) + after;
}

/** @param epoch where it was measured, if that is shown */
function runCell(accuracy: { readonly accuracy: number } | null, epoch?: number): Cell | null {
  if (accuracy === null) return null;
  const details = epoch === undefined ? {} : { details: [`epoch ${groupDigits(epoch)}`] };
  return { text: formatShare(accuracy.accuracy), ...details };
}

function explainOutcomes(results: Results, outcomes: readonly Outcome[], isJudged: boolean): Text[] {
  const { models, seeds, classes } = results;
  const comparable = judgeComparability(results) === null;
  const overSeeds =
    seeds.length < SEEDS_FOR_INTERVAL ? 'the range over seeds' : 'its 95 % interval over seeds (Student)';
  const details =
    seeds.length > 1
      ? `Below each mean over ${seeds.length} seeds: its 95 % interval over clips (Wilson, each clip counted once), ${overSeeds}, and the number of clips.`
      : 'Below each accuracy: its 95 % interval (Wilson), the clips classified correctly, and the epoch.';
  const users = Math.max(0, ...outcomes.map(({ chosen }) => chosen.test.overUsers?.users ?? 0));
  const unheld = models.filter(({ runs }) => runs.some(({ validation }) => validation === null));
  const whose = unheld.length === models.length ? '' : ` for ${joinWords(unheld.map(({ title }) => title))}`;
  return present<Text>(
    !comparable && ['The accuracies of the thesis are left out, because they were measured on other data.'],
    hasFolds(results) && [
      'Each seed tests a fold of users and trains on the others, so seeds differ by their people, too.',
    ],
    [sentences(details, `Chance is ${formatShare(1 / classes.length)}.`, explainTies(models))],
    users > 0 && [
      `“Over users”: the 95 % interval for other people like these (Student’s, over ${spellCount(users)} users). Clips of one person are alike; the interval above it ignores that.`,
    ],
    [
      'A maximum over epochs, as the thesis reports, is chosen on the clips that it is measured on, so it is biased upwards.',
    ],
    unheld.length > 0 && [`No clips were held out for validation${whose}: training used all of them.`],
    comparable &&
      outcomes.some(({ model }) => findPublished(model) === null) && [
        '–: not published, or only for trainings that held out another share of the clips: 15 % in the thesis, none for accuracy A of Fang et al. 2021.',
      ],
    isJudged && [
      'Last column: the verdict in “What holds”, which also gives the difference and its interval.',
    ],
  );
}
