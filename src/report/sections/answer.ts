import { isObject } from '../../base/files/shape.ts';
import { capitalise } from '../../base/text.ts';
import { audioOf, nameSensor } from '../../results/dataset-facts.ts';
import { DIFFERENCE_TITLES, type DifferenceVerdict } from '../../verdicts/verdicts.ts';
import {
  formatBarePoints,
  formatPoints,
  formatPointsRange,
  formatShare,
  joinWords,
  present,
  sentences,
  spellCount,
  spellQuantity,
} from '../../verdicts/words.ts';
import { type Endpoint, nameBaselines, type Question, type QuestionArm } from '../data/question.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Block, Inline, Text } from '../page/document.ts';
import { lossIn } from './time.ts';

/** The profile's question and its answer, for the top of the page: the verdicts, on whom they rest, and what would change them. */
export function writeAnswer(results: Results, question: Question): Block[] {
  return [
    { kind: 'paragraph', text: [question.text] },
    { kind: 'paragraph', text: stateVerdicts(results, question), lead: true },
    ...stateSecond(results, question),
    { kind: 'paragraph', text: [stateDesign(results, question)] },
    {
      kind: 'paragraph',
      text: [{ strong: 'What would change this.' }, ` ${stateChange(results, question).join(' ')}`],
    },
  ];
}

function stateSecond(results: Results, { second }: Question): Block[] {
  if (second === null) return [];
  const text: Text = [
    { strong: 'Second endpoint' },
    `, accuracy on ${second.text}, with a margin of ${formatPoints(second.margin, false)}. `,
    ...stateVerdicts(results, second),
  ];
  return [{ kind: 'paragraph', text }];
}

/** One sentence for the arms of each verdict, no stronger than the data. */
export function stateVerdicts({ simulated }: Results, { margin, arms }: Endpoint): Text {
  const room = formatPoints(margin, false);
  const groups = [
    { some: arms.filter((arm) => isDifferent(arm) && arm.difference > 0), how: 'more' },
    { some: arms.filter((arm) => isDifferent(arm) && arm.difference < 0), how: 'less' },
    { some: arms.filter(({ verdict }) => KINDS[verdict] === 'same'), how: 'as' },
    { some: arms.filter(({ verdict }) => KINDS[verdict] === 'open'), how: null },
  ].filter(({ some }) => some.length > 0);
  return groups.flatMap(({ some, how }, index): Inline[] => {
    const names = nameArms(some, arms.length, how === null);
    const isOne = some.length === 1;
    const verdict =
      how === null
        ? `this run cannot tell whether ${names} ${isOne || names.startsWith('any ') ? 'differs' : 'differ'} from ${nameBaselines(some)} by ${room} or more, or at all`
        : `${names} ${isOne ? 'is' : 'are'} ${how} accurate ${how === 'as' ? 'as' : 'than'} ${nameBaselines(some)}${how === 'as' ? `, within ${room}` : sizeUp(some, margin)}`;
    // Titles stay as they are: τ per channel.
    const alone = how !== null && some.length <= NAMED ? verdict : capitalise(verdict);
    const text = simulated && index === 0 ? `On simulated recordings, ${verdict}` : alone;
    return [index === 0 ? '' : ' ', { strong: text }, `: ${measureArms(some, how === 'as')}.`];
  });
}

/** What the verdicts on arms of one sentence have in common. */
const KINDS: Readonly<Record<DifferenceVerdict, 'differs' | 'same' | 'open'>> = {
  different: 'differs',
  slight: 'differs',
  equivalent: 'same',
  undecided: 'open',
};

/** Certainly not 0, whatever its size. */
function isDifferent({ verdict }: QuestionArm): boolean {
  return KINDS[verdict] === 'differs';
}

/** More arms are counted: the table names all. */
const NAMED = 3;

function nameArms(some: readonly QuestionArm[], all: number, isAny: boolean): string {
  if (some.length <= NAMED) return joinWords(some.map(({ model }) => model.title));
  const count = spellCount(some.length);
  // The undecided ones come last.
  if (some.length < all) return isAny ? `the other ${count} arms` : `${count} of the ${spellCount(all)} arms`;
  return isAny ? `any of the ${count} arms` : `all ${count} arms`;
}

/** How differences compare with the margin, where that is the same for all: `, by more than 2.0 points`. */
function sizeUp(some: readonly QuestionArm[], margin: number): string {
  const isBeyond = ({ certainty }: QuestionArm) =>
    certainty !== null && (certainty.interval.low > margin || certainty.interval.high < -margin);
  const isSlight = some.every(({ verdict }) => verdict === 'slight');
  const how = some.every(isBeyond) ? 'more' : isSlight ? 'less' : null;
  return how === null ? '' : `, by ${how} than ${formatPoints(margin, false)}`;
}

/** @param isNarrow with the 90 % intervals, by which arms are equivalent */
function measureArms(some: readonly QuestionArm[], isNarrow: boolean): string {
  const sorted = [...some].sort((a, b) => a.difference - b.difference);
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  const found = present(...some.map(({ certainty }) => certainty?.[isNarrow ? 'narrow' : 'interval']));
  const interval = isNarrow ? '90\u00a0% interval' : '95\u00a0% interval';
  const ends = [Math.min(...found.map((one) => one.low)), Math.max(...found.map((one) => one.high))] as const;
  const range = found.length === 0 ? '' : formatPointsRange(...ends);
  if (some.length === 1)
    return `${formatPoints(low.difference)}${range === '' ? ' (no interval)' : ` (${interval} ${range})`}`;
  return `${formatBarePoints(low.difference)} (${low.model.title}) to ${formatPoints(high.difference)} (${high.model.title})${range && `, ${interval}s from ${range}`}`;
}

/** `29 people with 1,464 clips, each tested by four of the 20 seeds of each of eight models: 160 trainings.` */
function stateDesign({ models, seeds, simulated }: Results, { baseline, margin, users }: Question): string {
  const met = baseline.runs.map((run) => new Set(run.answers.map(({ clip, user }) => user ?? clip)));
  const tests = [...new Set(met.flatMap((one) => [...one]))].map((one) => {
    return met.filter((of) => of.has(one)).length;
  });
  const [fewest, most] = [Math.min(...tests), Math.max(...tests)];
  const clips = new Set(baseline.runs.flatMap(({ answers }) => answers.map(({ clip }) => clip))).size;
  const trainings = models.reduce((sum, { runs }) => sum + runs.length, 0);
  const mark = simulated ? 'simulated ' : '';
  const people =
    users === null ? '' : `${spellQuantity(users, `${mark}person`).replace('persons', 'people')} with `;
  const whom = `${people}${spellQuantity(clips, people === '' ? `${mark}clip` : 'clip')}`;
  const some = fewest === most ? spellCount(fewest) : `${spellCount(fewest)} to ${spellCount(most)}`;
  const which = fewest < seeds.length ? `${some} of the ` : fewest > 2 ? 'all ' : '';
  const by = which === '' && fewest === 2 ? 'both seeds' : `${which}${spellQuantity(seeds.length, 'seed')}`;
  const tested = `${whom}, each tested by ${by} of each of ${spellQuantity(models.length, 'model')}`;
  return `${capitalise(tested)}: ${spellQuantity(trainings, 'training')}. The profile states the margin of ${formatPoints(margin, false)}.`;
}

/** Sentences on what this run could not see, and on what would show it. */
function stateChange(results: Results, question: Question): string[] {
  const { arms } = question;
  const undecided = arms.filter(({ verdict }) => verdict === 'undecided');
  const isEquivalent = arms.some(({ verdict }) => verdict === 'equivalent');
  return present(
    undecided.length > 0 && statePower(question, undecided),
    undecided.length < arms.length && stateScale(results, question),
    isEquivalent && results.dataset.kind === 'events' && stateOrder(question),
    stateLearning(question),
  );
}

/** What the design could find of the undecided arm with the widest interval. */
function statePower({ margin, users }: Question, undecided: readonly QuestionArm[]): string {
  const whom = users === null ? 'clips' : 'people';
  const known = undecided.flatMap(({ model, certainty }) =>
    certainty === null ? [] : [{ model, certainty }],
  );
  const [widest] = known.sort((a, b) => (b.certainty.detectable ?? 1) - (a.certainty.detectable ?? 1));
  if (widest === undefined)
    return `More seeds or ${whom}: with one of either, or if all differ by the same amount, nothing says how far others may be.`;
  const { detectable, equivalenceChance } = widest.certainty;
  const whose = `${widest.model.title}${known.length > 1 ? ', the least certain arm' : ''}`;
  return sentences(
    detectable === null
      ? `For ${whose}, this design finds even the largest possible difference in fewer than four of five cases.`
      : `For ${whose}, this design finds a true difference of ${formatPoints(detectable, false)} in four of five cases.`,
    `If there is no difference, it shows equivalence within ${formatPoints(margin, false)} in ${formatShare(equivalenceChance)} of cases.`,
    `A new run with more seeds or more ${whom} can show more; adding seeds to this one until it decides would find differences where there are none.`,
  );
}

/** At what scale verdicts hold. */
function stateScale({ dataset, simulated }: Results, { baseline }: Question): string {
  const { network, frames, metrics } = baseline.runs[0]!;
  const { layers, channels } = network;
  const scale = present(
    typeof layers === 'number' &&
      layers > 0 &&
      `${spellQuantity(layers, 'convolutional layer')} of ${String(channels)} channels`,
    nameSensor(frames, audioOf(dataset) !== undefined),
    spellQuantity(metrics.epochs.length, 'epoch'),
    simulated ? 'simulated recordings' : dataset.title,
  );
  return `Other networks, sizes or data may give another answer: this one is for ${joinWords(scale)}.`;
}

/** Where a network does not need the order of its frames, τ has little to do. */
function stateOrder({ baseline }: Question): string {
  const loss = lossIn(baseline, 'shuffled');
  return loss === null
    ? 'If these networks do not need time, τ has little to do: evaluate.orders: [shuffled] shows it.'
    : `With shuffled frames, the accuracy of ${baseline.title} changes by ${formatPoints(-loss)}; where that is little, the networks hardly use time, and τ has little to do.`;
}

/** Whether it is learning that makes a difference, or only that τ differ between neurons. */
function stateLearning({ arms }: Question): string | null {
  const learned = arms.filter(
    ({ model, baseline }) => spreadOf(model) === 'learned' && spreadOf(baseline) === null,
  );
  if (!learned.some(isDifferent)) return null;
  const fixed = arms.filter(({ model }) => spreadOf(model) === 'fixed');
  if (fixed.length === 0) return 'Whether τ have to be learned would show in the arm fixed-spread.';
  const verdicts = fixed.map(
    ({ model, verdict, difference }) =>
      `${model.title} (${DIFFERENCE_TITLES[verdict]}, ${formatPoints(difference)})`,
  );
  return `Whether τ have to be learned shows where they differ but are not learned: ${joinWords(verdicts)}. The learned and the fixed ones are not compared with each other.`;
}

/** Whether τ that differ from neuron to neuron are learned; null if they do not differ. */
function spreadOf({ runs: [run] }: ModelResult): 'learned' | 'fixed' | null {
  const { neuron, tau } = run?.network ?? {};
  if (!isObject(tau) || tau.per !== 'neuron') return null;
  return neuron === 'lif' || run?.training.tauRate === 0 ? 'fixed' : 'learned';
}
