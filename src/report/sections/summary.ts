import { stateP } from '../../stats/p-values.ts';
import { titleDataset } from '../../thesis/data-sets.ts';
import { judgeComparability, nameSource, THESIS } from '../../thesis/published.ts';
import { ANSWERS, VERDICT_TITLES, type Verdict } from '../../thesis/verdicts.ts';
import { findPublishedTest, type Judgement } from '../claims/judgement.ts';
import {
  compareModels,
  isBySeed,
  isSignificant,
  type ModelDifference,
  nameTest,
} from '../data/differences.ts';
import { nameEpoch, warnOfChoice } from '../data/epochs.ts';
import {
  capitalise,
  endSentence,
  formatPercent,
  formatPercentRange,
  formatPoints,
  formatQuantity,
  joinWords,
  spellCount,
} from '../data/format.ts';
import { type Guessing, measureGuessing, type Outcome, probabilityByGuessing } from '../data/outcome.ts';
import type { Results } from '../data/results.ts';
import { listDeviations } from '../data/settings.ts';
import type { Text } from '../page/document.ts';

/** The outcome in a few sentences, the most important first. */
export function writeSummary(
  results: Results,
  outcomes: readonly Outcome[],
  judgements: readonly Judgement[],
): Text[] {
  return [
    summarisePublished(outcomes, judgements),
    summariseDifferences(results),
    summariseSkill(results, outcomes),
    warnOfTestClips(results),
    summariseCollapse(results, outcomes),
    summariseMeaning(results),
  ].filter((text) => text.length > 0);
}

/** The published test accuracies that this run can judge, as in the table of claims. */
function summarisePublished(outcomes: readonly Outcome[], judgements: readonly Judgement[]): Text {
  const found = outcomes.flatMap(({ model }) => {
    const judgement = findPublishedTest(model, judgements);
    return judgement === null ? [] : [{ title: model.title, verdict: judgement.verdict }];
  });
  const judged = found.filter(({ verdict }) => verdict !== 'reduced-scale');
  const [only] = judged;
  if (only === undefined) {
    return found.length === 0
      ? []
      : [
          { strong: 'This run is too small to reproduce a published test accuracy.' },
          ' “What holds” shows both.',
        ];
  }
  const groups = ANSWERS.map((verdict) => ({
    verdict,
    titles: judged.filter((one) => one.verdict === verdict).map(({ title }) => title),
  })).filter(({ titles }) => titles.length > 0);
  const name = (verdict: Verdict) => VERDICT_TITLES[verdict];
  const [first] = groups;
  const head =
    judged.length === 1
      ? `The published test accuracy of ${only.title} is ${name(only.verdict)}, as a maximum over epochs.`
      : groups.length === 1 && first !== undefined
        ? `${spellAll(judged.length)} published test accuracies are ${name(first.verdict)}, as maxima over epochs.`
        : `Of ${spellCount(judged.length)} published test accuracies, ${joinWords(groups.map(({ verdict, titles }) => `${spellCount(titles.length)} ${titles.length === 1 ? 'is' : 'are'} ${name(verdict)}`))}, as maxima over epochs.`;
  const rest = groups
    .filter(({ verdict }) => groups.length > 1 && verdict !== 'reproduced')
    .map(({ verdict, titles }) => endSentence(` ${capitalise(name(verdict))}: ${joinWords(titles)}`));
  return [{ strong: head }, ...rest];
}

/** The probability outside one side of a 95 % interval. */
const CLEARLY = 0.025;

function summariseSkill(results: Results, outcomes: readonly Outcome[]): Text {
  const sorted = [...outcomes].sort((a, b) => a.chosen.test.mean - b.chosen.test.mean);
  const lowest = sorted[0];
  const highest = sorted.at(-1);
  if (lowest === undefined || highest === undefined) return [];
  const clips = formatQuantity(lowest.chosen.test.clips, `${results.simulated ? 'simulated ' : ''}test clip`);
  const guessing = measureGuessing(results);
  // Among many guessing models, some would pass by chance, so they share the level (Bonferroni).
  const level = CLEARLY / outcomes.length;
  const above = outcomes.filter((outcome) => probabilityByGuessing(outcome, guessing) <= level);
  const epoch = nameEpoch(results.models);
  if (outcomes.length === 1) {
    const { low, high } = lowest.chosen.test.interval;
    return [
      {
        strong: `${lowest.model.title} classifies ${formatPercent(lowest.chosen.test.mean)} of ${clips} correctly (95 % interval ${formatPercentRange(low, high)})`,
      },
      ` at the ${epoch}; ${describeGuessing(guessing)}.${above.length === 1 ? '' : ` This is not clearly better than guessing, which would get as many right with a probability of ${formatPercent(probabilityByGuessing(lowest, guessing))}.`}`,
    ];
  }
  const range =
    lowest.chosen.test.mean === highest.chosen.test.mean
      ? `Each model classifies ${formatPercent(lowest.chosen.test.mean)}`
      : `The models classify ${formatPercent(lowest.chosen.test.mean)} (${lowest.model.title}) to ${formatPercent(highest.chosen.test.mean)} (${highest.model.title})`;
  const guessers = outcomes.filter((outcome) => !above.includes(outcome)).map(({ model }) => model.title);
  return [
    `${range} of ${clips} correctly at the ${epoch}; ${describeGuessing(guessing)}.`,
    ...(guessers.length === 0
      ? []
      : [
          { strong: ` Not clearly better than guessing: ${endSentence(joinWords(guessers))}` },
          ` Guessing would get as many right with a probability of more than ${formatPercent(CLEARLY)}, divided by the number of models.`,
        ]),
  ];
}

function warnOfTestClips({ models }: Results): Text {
  const warning = warnOfChoice(models);
  return warning === null ? [] : [{ strong: 'Note: ' }, warning];
}

/** If classes differ in size, always guessing the largest is better than chance. */
function describeGuessing({ chance, constant }: Guessing): string {
  const even = formatPercent(constant.accuracy) === formatPercent(chance);
  return `chance is ${formatPercent(chance)}${even ? '' : `, always answering “${constant.answer}” would give ${formatPercent(constant.accuracy)}`}`;
}

/** How the other models compare with the first, by the tests of the table of differences. */
function summariseDifferences(results: Results): Text {
  const [first] = results.models;
  const differences = compareModels(results);
  if (first === undefined || differences.length === 0) return [];
  const how = `${nameTest(first)}, Holm-corrected`;
  const apart = differences.filter(isSignificant);
  if (differences.every(({ p }) => p === null))
    return [
      `All ${isBySeed(first) ? 'seeds' : 'clips'} differ by the same amount, so no test can tell whether the models differ.`,
    ];
  if (apart.length === 0)
    return [
      { strong: `No model’s test accuracy differs significantly from that of ${first.title}` },
      ` (${how}). This does not show that they are equal.`,
    ];
  return [
    {
      strong: `On the ${results.simulated ? 'simulated ' : ''}test clips, ${joinWords(apart.map((one) => describeApart(one, first.title)))}`,
    },
    ` (${how}).`,
  ];
}

/** `No Reg. is 2.8 points less accurate than Baseline, p = 0.021`. */
function describeApart({ model, difference, adjusted }: ModelDifference, first: string): string {
  const size = formatPoints(Math.abs(difference), false);
  return `${model.title} is ${size} ${difference < 0 ? 'less' : 'more'} accurate than ${first}, ${stateP(adjusted ?? 1)}`;
}

/** A network with silent or saturated outputs gives the same answer to every clip; its accuracy does not show that. */
function summariseCollapse({ classes }: Results, outcomes: readonly Outcome[]): Text {
  const collapsed = outcomes.flatMap(({ model }) => {
    const answers = model.runs.map(({ confusion }) => onlyAnswer(confusion));
    const [answer] = answers;
    if (answer === undefined || answer === null || answers.some((other) => other !== answer)) return [];
    return [`${model.title} (${classes[answer]})`];
  });
  if (collapsed.length === 0) return [];
  const who =
    collapsed.length === 1 ? 'One model gives' : `${capitalise(spellCount(collapsed.length))} models give`;
  return [
    { strong: `${who} the same answer to every clip: ${joinWords(collapsed)}.` },
    ' Such a model has not learned to distinguish the clips.',
  ];
}

/** The only class that is ever predicted; null if there are several. */
function onlyAnswer(confusion: readonly (readonly number[])[]): number | null {
  const answers = confusion
    .map((_, column) => column)
    .filter((column) => confusion.some((row) => (row[column] ?? 0) > 0));
  return answers.length === 1 ? (answers[0] ?? null) : null;
}

function summariseMeaning(results: Results): Text {
  const incomparable = judgeComparability(results);
  const scaled = listDeviations(results)
    .filter(({ label }) => HEADLINE_SETTINGS.has(label))
    .map(({ label, thesis, used }) => {
      const plural = HEADLINE_SETTINGS.get(label) ?? '';
      return `${used} ${used === '1' ? plural.replace(/s$/, '') : plural} instead of ${thesis}`;
    });
  const settings =
    scaled.length === 0
      ? []
      : [
          `Settings differ from ${nameSource(results.models)}: ${joinWords(scaled)} (`,
          { link: '#settings', text: 'all settings' },
          ').',
        ];
  if (incomparable === 'simulated') {
    return [
      'These results say nothing about the thesis: the recordings are simulated. The run shows that the pipeline works end to end. ',
      ...settings,
    ];
  }
  if (incomparable === 'other-dataset') {
    return [
      `These results say nothing about the thesis, which used ${titleDataset(THESIS.dataset)}. `,
      ...settings,
    ];
  }
  return settings;
}

/** The settings that the verdict mentions, and their names there. */
const HEADLINE_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['Channels per layer', 'channels'],
  ['Convolutional layers', 'convolutional layers'],
  ['Time steps per clip', 'time steps'],
  ['Epochs', 'epochs'],
]);

/** `Both`, `All three`. */
function spellAll(count: number): string {
  return count === 2 ? 'Both' : `All ${spellCount(count)}`;
}
