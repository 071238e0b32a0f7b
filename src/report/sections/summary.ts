import { capitalise } from '../../base/text.ts';
import { nameSource } from '../../results/thesis/published.ts';
import { DIFFERENCE_LEVEL } from '../../verdicts/contrasts.ts';
import { stateP } from '../../verdicts/stats/p-values.ts';
import { ANSWERS, VERDICT_TITLES } from '../../verdicts/verdicts.ts';
import {
  endSentence,
  formatPercentRange,
  formatPoints,
  formatQuantity,
  formatShare,
  joinWords,
  lowerFirst,
  spellCount,
} from '../../verdicts/words.ts';
import { findPublishedTest, type Judgement } from '../claims/judgement.ts';
import { nameEpoch } from '../data/epochs.ts';
import {
  CLEARLY,
  type Guessing,
  listGuessers,
  measureGuessing,
  type Outcome,
  probabilityByGuessing,
} from '../data/outcome.ts';
import type { ModelContrasts } from '../data/question.ts';
import type { ModelResult, Results } from '../data/results.ts';
import { listDeviations } from '../data/settings.ts';
import type { Text } from '../page/document.ts';

/** The outcome in a few sentences, the most important first. @param contrasts of the models with the first; null if there is nothing to compare, or the question does it */
export function writeSummary(
  results: Results,
  outcomes: readonly Outcome[],
  judgements: readonly Judgement[],
  contrasts: ModelContrasts | null,
): Text[] {
  return [
    summarisePublished(outcomes, judgements),
    contrasts === null ? [] : summariseDifferences(results, contrasts),
    summariseSkill(results, outcomes),
    warnOfChoice(results.models),
    // They stand beside the claims then.
    judgements.some(({ verdict }) => verdict === 'reduced-scale') ? [] : summariseSettings(results),
  ].filter((text) => text.length > 0);
}

/** The published test accuracies that this run can judge, as in the table of claims. */
function summarisePublished(outcomes: readonly Outcome[], judgements: readonly Judgement[]): Text {
  const found = outcomes.flatMap(({ model }) => {
    const judgement = findPublishedTest(model, judgements);
    return judgement === null ? [] : [{ title: model.title, verdict: judgement.verdict }];
  });
  const groups = ANSWERS.map((verdict) => ({
    verdict: VERDICT_TITLES[verdict],
    titles: found.filter((one) => one.verdict === verdict).map(({ title }) => title),
  })).filter(({ titles }) => titles.length > 0);
  const [first, ...others] = groups;
  if (first === undefined) {
    const strong = 'This run is too small to reproduce a published test accuracy.';
    return found.length === 0 ? [] : [{ strong }, ' “What holds” shows both.'];
  }
  const count = groups.flatMap(({ titles }) => titles).length;
  const counts = groups.map(
    ({ verdict, titles }) => `${spellCount(titles.length)} ${titles.length === 1 ? 'is' : 'are'} ${verdict}`,
  );
  const all = count === 2 ? 'Both' : `All ${spellCount(count)}`;
  const strong =
    count === 1
      ? `The published test accuracy of ${first.titles[0]} is ${first.verdict}, as a maximum over epochs.`
      : others.length === 0
        ? `${all} published test accuracies are ${first.verdict}, as maxima over epochs.`
        : `Of ${spellCount(count)} published test accuracies, ${joinWords(counts)}, as maxima over epochs.`;
  const named = groups.filter(({ verdict }) => others.length > 0 && verdict !== 'reproduced');
  return [
    { strong },
    ...named.map(({ verdict, titles }) => endSentence(` ${capitalise(verdict)}: ${joinWords(titles)}`)),
  ];
}

function summariseSkill(results: Results, outcomes: readonly Outcome[]): Text {
  const sorted = [...outcomes].sort((a, b) => a.chosen.test.mean - b.chosen.test.mean);
  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  if (lowest === undefined || highest === undefined) return [];
  const { test } = lowest.chosen;
  const accuracyOf = (outcome: Outcome) => formatShare(outcome.chosen.test.mean);
  const clips = formatQuantity(test.clips, `${results.simulated ? 'simulated ' : ''}test clip`);
  const guessing = measureGuessing(results);
  const guessers = listGuessers(results, outcomes);
  const how = `at the ${nameEpoch(results.models)}; ${describeGuessing(guessing)}.`;
  if (outcomes.length === 1) {
    const range = formatPercentRange(test.interval.low, test.interval.high);
    const chance = formatShare(probabilityByGuessing(lowest, guessing));
    return [
      {
        strong: `${lowest.model.title} classifies ${accuracyOf(lowest)} of ${clips} correctly (95 % interval ${range})`,
      },
      ` ${how}${guessers.length === 0 ? '' : ` This is not clearly better than guessing, which would get as many right with a probability of ${chance}.`}`,
    ];
  }
  const range =
    test.mean === highest.chosen.test.mean
      ? `Each model classifies ${accuracyOf(lowest)}`
      : `The models classify ${accuracyOf(lowest)} (${lowest.model.title}) to ${accuracyOf(highest)} (${highest.model.title})`;
  const summary = `${range} of ${clips} correctly ${how}`;
  if (guessers.length === 0) return [summary];
  const titles = guessers.map(({ model }) => model.title);
  return [
    summary,
    { strong: ` Not clearly better than guessing: ${endSentence(joinWords(titles))}` },
    ` Guessing would get as many right with a probability of more than ${formatShare(CLEARLY)}, divided by the number of models.`,
  ];
}

/** A warning about accuracies at epochs chosen on the test clips. */
function warnOfChoice(models: readonly ModelResult[]): Text {
  const onTest = models.filter(({ runs }) => runs.some(({ chosenOn }) => chosenOn === 'test'));
  if (onTest.length === 0) return [];
  const whose = onTest.length === models.length ? '' : ` of ${joinWords(onTest.map(({ title }) => title))}`;
  return [
    { strong: 'Note: ' },
    `the epoch${whose} was chosen on the test clips themselves (compat.selection: best-test), so its accuracy is biased upwards like a maximum.`,
  ];
}

/** If classes differ in size, always guessing the largest is better than chance. */
function describeGuessing({ chance, constant }: Guessing): string {
  const even = formatShare(constant.accuracy) === formatShare(chance);
  return `chance is ${formatShare(chance)}${even ? '' : `, always answering “${constant.answer}” would give ${formatShare(constant.accuracy)}`}`;
}

/** How the other models compare with the first, as in the table of differences. */
function summariseDifferences(
  { simulated }: Results,
  { first, others, design, unknown }: ModelContrasts,
): Text {
  const known = others.flatMap(({ model, contrast: { difference, certainty } }) => {
    return certainty === null ? [] : [{ model, difference, adjusted: certainty.adjusted }];
  });
  if (known.length === 0) return [`No test can tell whether the models differ: ${lowerFirst(unknown)}`];
  const how = `over ${design}; Holm-corrected`;
  const apart = known.filter(({ adjusted }) => adjusted <= DIFFERENCE_LEVEL);
  if (apart.length === 0)
    return [
      { strong: `No model’s test accuracy differs significantly from that of ${first.title}` },
      ` (${how}). This does not show that they are equal.`,
    ];
  const found = apart.map(({ model, difference, adjusted }) => {
    const size = formatPoints(Math.abs(difference), false);
    return `${model.title} is ${size} ${difference < 0 ? 'less' : 'more'} accurate than ${first.title}, ${stateP(adjusted)}`;
  });
  return [{ strong: `On the ${simulated ? 'simulated ' : ''}test clips, ${joinWords(found)}` }, ` (${how}).`];
}

/** The settings that were scaled down. */
function summariseSettings(results: Results): Text {
  const scaled = listDeviations(results).flatMap(({ label, thesis, used }) => {
    const plural = HEADLINE_SETTINGS.get(label);
    if (plural === undefined) return [];
    return [`${used} ${used === '1' ? plural.replace(/s$/, '') : plural} instead of ${thesis}`];
  });
  if (scaled.length === 0) return [];
  return [
    `Settings differ from ${nameSource(results.models)}: ${joinWords(scaled)} (`,
    { link: '#settings', text: 'all settings' },
    ').',
  ];
}

/** The names of these settings in a sentence. */
const HEADLINE_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['Channels per layer', 'channels'],
  ['Convolutional layers', 'convolutional layers'],
  ['Time steps per clip', 'time steps'],
  ['Epochs', 'epochs'],
]);
