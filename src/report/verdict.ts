import { nameChoice, warnOfChoice } from './choice.ts';
import type { Text } from './document.ts';
import {
  endSentence,
  formatPercent,
  formatPercentRange,
  formatQuantity,
  joinWords,
  spellCount,
} from './format.ts';
import { type Guessing, judgeGuessing, type Outcome, probabilityByGuessing } from './outcome.ts';
import type { Results } from './results.ts';
import { listDeviations } from './settings-table.ts';
import { comparePublished } from './tables.ts';
import { judgeComparability, THESIS, titleDataset } from './thesis.ts';

/** The outcome in a few sentences, the most important first. */
export function writeVerdict(results: Results, outcomes: readonly Outcome[]): Text[] {
  const comparable = judgeComparability(results) === null;
  return [
    ...(comparable ? [judgePublished(outcomes)] : []),
    judgeSkill(results, outcomes),
    judgeChoice(results),
    ...(outcomes.length > 1 ? [judgeDifferences(outcomes)] : []),
    judgeCollapse(results, outcomes),
    judgeMeaning(results),
  ].filter((text) => text.length > 0);
}

function judgePublished(outcomes: readonly Outcome[]): Text {
  const published = outcomes.filter(({ model }) => model.published !== null);
  if (published.length === 0) return [];
  const outside = published.filter((outcome) => comparePublished(outcome) !== 'within');
  const within = published.length - outside.length;
  const all = spellCount(published.length);
  const head =
    published.length === 1
      ? `The published test accuracy lies ${within === 1 ? 'within' : 'outside'} the 95 % interval of the reproduced one`
      : within === published.length
        ? `${spellAll(published.length)} published test accuracies lie within the 95 % intervals of the reproduced ones`
        : within === 0
          ? `None of the ${all} published test accuracies lies within the 95 % interval of the reproduced one`
          : `${capitalise(spellCount(within))} of the ${all} published test accuracies ${within === 1 ? 'lies' : 'lie'} within the 95 % interval of the reproduced one`;
  const rest = outside.map((outcome) => {
    const { low, high } = outcome.maximum.test.interval;
    return `${outcome.model.title} (published ${formatPercent(outcome.model.published?.test ?? 0)}, reproduced ${formatPercentRange(low, high)})`;
  });
  return [
    { strong: `${head}, both as maxima over epochs.` },
    ...(rest.length === 0 ? [] : [` Outside: ${joinWords(rest)}.`]),
  ];
}

/** The probability outside one side of a 95 % interval. */
const CLEARLY = 0.025;

function judgeSkill(results: Results, outcomes: readonly Outcome[]): Text {
  const sorted = [...outcomes].sort((a, b) => a.chosen.test.mean - b.chosen.test.mean);
  const lowest = sorted[0];
  const highest = sorted.at(-1);
  if (lowest === undefined || highest === undefined) return [];
  const clips = formatQuantity(lowest.chosen.test.clips, `${results.simulated ? 'simulated ' : ''}test clip`);
  const guessing = judgeGuessing(results);
  // Among many guessing models, some would pass by chance, so they share the level (Bonferroni).
  const level = CLEARLY / outcomes.length;
  const above = outcomes.filter((outcome) => probabilityByGuessing(outcome, guessing) <= level);
  const choice = nameChoice(results.models);
  const rest = ` correctly at the epoch ${choice}; ${describeGuessing(guessing)}. “Clearly” means that guessing would get as many right with a probability of at most ${formatPercent(CLEARLY)}, divided by the number of models.`;

  if (outcomes.length === 1) {
    const { low, high } = lowest.chosen.test.interval;
    return [
      {
        strong: `${lowest.model.title} classifies ${formatPercent(lowest.chosen.test.mean)} of ${clips} correctly (95 % interval ${formatPercentRange(low, high)})`,
      },
      ` at the epoch ${choice}; ${describeGuessing(guessing)}.${above.length === 1 ? '' : ` This is not clearly better than guessing, which would get as many right with a probability of ${formatPercent(probabilityByGuessing(lowest, guessing))}.`}`,
    ];
  }
  const who =
    above.length === outcomes.length
      ? `${spellAll(outcomes.length)} models are clearly better than guessing`
      : above.length === 0
        ? 'No model is clearly better than guessing'
        : `${capitalise(spellCount(above.length))} of ${spellCount(outcomes.length)} models ${above.length === 1 ? 'is' : 'are'} clearly better than guessing`;
  return [
    { strong: `${who} on the ${clips}.` },
    lowest.chosen.test.mean === highest.chosen.test.mean
      ? ` Each classifies ${formatPercent(lowest.chosen.test.mean)}${rest}`
      : ` They classify from ${formatPercent(lowest.chosen.test.mean)} (${lowest.model.title}) to ${formatPercent(highest.chosen.test.mean)} (${highest.model.title})${rest}`,
  ];
}

function judgeChoice({ models }: Results): Text {
  const warning = warnOfChoice(models);
  return warning === null ? [] : [{ strong: 'Note: ' }, warning];
}

/** If classes differ in size, always guessing the largest is better than chance. */
function describeGuessing({ chance, constant }: Guessing): string {
  const even = formatPercent(constant.accuracy) === formatPercent(chance);
  return `chance is ${formatPercent(chance)}${even ? '' : `, always answering “${constant.answer}” would give ${formatPercent(constant.accuracy)}`}`;
}

function judgeDifferences(outcomes: readonly Outcome[]): Text {
  const apart = outcomes.flatMap((first, index) =>
    outcomes.slice(index + 1).flatMap((second) => {
      const a = first.chosen.test.interval;
      const b = second.chosen.test.interval;
      if (a.low > b.high) return [`${first.model.title} above ${second.model.title}`];
      return b.low > a.high ? [`${second.model.title} above ${first.model.title}`] : [];
    }),
  );
  if (apart.length === 0)
    return ['The 95 % intervals of all models overlap, so they do not distinguish the models.'];
  return [endSentence(`The 95 % intervals of some models do not overlap: ${joinWords(apart)}`)];
}

/** A network whose outputs are silent or saturated gives the same answer to every clip, which its accuracy does not reveal. */
function judgeCollapse({ classes }: Results, outcomes: readonly Outcome[]): Text {
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

function judgeMeaning(results: Results): Text {
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
          `Settings differ from the thesis: ${joinWords(scaled)} (`,
          { link: '#settings', text: 'all of them' },
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

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
