import type { AnswerTable } from '../../src/verdicts/answers.ts';
import { defaultMargin, judgeAnswers } from '../../src/verdicts/judge-claims.ts';
import type { StatedMeasure } from '../../src/verdicts/stated-claims.ts';
import { add } from '../../src/verdicts/stats/crossed.ts';
import type { Answer, Verdict } from '../../src/verdicts/verdicts.ts';
import { shareItems } from '../intervals/simulate.ts';
import {
  createRandom,
  type Design,
  drawDesign,
  drawItems,
  publish,
  type Random,
  type Sample,
  simulateStudy,
} from './simulate.ts';
import { judgeUsually, type UsualAnswers } from './usual-ways.ts';

/** The smallest difference that matters: 2 points, or 0.2 standard deviations of the scores of items. */
const MARGIN = 0.02;

/** The highest accuracy of a simulated system. */
const MOST = 0.99;

export const KINDS = ['accuracy', 'equivalence', 'difference', 'no-worse', 'order'] as const;
export type Kind = (typeof KINDS)[number];

/** How large the true difference is: none, half the margin, the margin, or 1.5 or 2 margins. */
export const TRUTHS = ['0', 'half', 'margin', 'beyond'] as const;
export type Truth = (typeof TRUTHS)[number];

/** Studies of one truth, drawn with one seed: a chunk is the same wherever it is simulated. */
export interface Chunk {
  readonly truth: Truth;
  readonly seed: number;
  readonly studies: number;
  readonly sample: Sample;
}

/** A claim about a study, and what was said of it. */
export interface Outcome {
  readonly kind: Kind;
  readonly truth: Truth;
  /** The verdict that contradicts the truth; null if none does. */
  readonly wrong: Exclude<Answer, 'inconclusive'> | null;
  readonly verdict: Verdict;
  readonly usual: UsualAnswers;
  readonly sample: Sample;
  readonly design: Omit<Design, 'people'> & { readonly people: number | null };
  /** Whether a published value is of other people than those of the study. */
  readonly isOfOthers: boolean;
}

interface Trial {
  readonly kind: Kind;
  readonly measure: StatedMeasure;
  readonly isOfOthers?: boolean;
}

export function simulateChunk({ truth, seed, studies, sample }: Chunk): Outcome[] {
  const random = createRandom(seed);
  return Array.from({ length: studies }, () => {
    const design = drawDesign(sample, random);
    const beyond = random.either() ? 1.5 : 2;
    const size = { 0: 0, half: 0.5, margin: 1, beyond }[truth];
    return [
      compareArms(size, beyond, design, random),
      comparePublished(size, sample, design, random),
    ].flatMap(({ study, trials }) => judge(trials, study, { truth, sample, design }));
  }).flat();
}

interface Simulated {
  readonly study: AnswerTable;
  readonly trials: readonly Trial[];
}

/** Three arms, each better than the next by the true difference; if there is none, the last one is worse, so that only one step is wrong. */
function compareArms(size: number, beyond: number, design: Design, random: Random): Simulated {
  const { accuracy } = design;
  const second = accuracy - size * MARGIN;
  const third = second - (size === 0 ? beyond : size) * MARGIN;
  const margin = MARGIN;
  return {
    study: simulateStudy([accuracy, second, third], drawItems(design, random), design, random),
    trials: [
      { kind: 'equivalence', measure: { kind: 'equivalence', arm: 'a', than: 'b', margin } },
      { kind: 'difference', measure: { kind: 'difference', arm: 'a', than: 'b', margin } },
      { kind: 'no-worse', measure: { kind: 'no-worse', arm: 'b', than: 'a', margin } },
      { kind: 'order', measure: { kind: 'order', arms: ['a', 'b', 'c'], margin } },
    ],
  };
}

/**
 * One arm and a published value, the better or the worse by the true difference: an accuracy in margins that its judge takes by itself. It is of
 * the same people, or else of as many others, who may have unequal numbers of items, or of other items.
 */
function comparePublished(size: number, sample: Sample, design: Design, random: Random): Simulated {
  const { isScore, people, accuracy } = design;
  const trainings = random.either() ? 1 : 5;
  const isOfOthers = people !== null && (sample !== 'any' || random.either());
  const others = isOfOthers ? drawOthers(people, design.items, random) : null;
  const [set, other] = [drawItems(design, random), drawItems({ ...design, ...others }, random)];
  const tested = people === null || isOfOthers ? other : set;
  const items = tested.owners.length;
  const { value, deviation, error } = publish(accuracy, trainings, tested, design, random);
  const margin = isScore ? MARGIN : defaultMargin({ correct: value * items, clips: items });
  const [better, worse] = [accuracy + size * margin, accuracy - size * margin];
  const ours = random.either() && better <= MOST ? better : worse;
  const published = {
    arm: 'a',
    published: value,
    seeds: trainings,
    ...(trainings > 1 ? { sd: deviation } : {}),
  };
  const groups = others && { groups: others.effective };
  const measure: StatedMeasure = isScore
    ? { kind: 'score', ...published, ...groups, margin, error: tested === other ? error : 0 }
    : { kind: 'accuracy', ...published, ...groups, n: items };
  return {
    study: simulateStudy([ours], set, design, random),
    trials: [{ kind: 'accuracy', measure, isOfOthers }],
  };
}

function drawOthers({ length: count }: readonly number[], items: number, random: Random) {
  const sharing = (['equal', 'one', 'zipf'] as const)[random.count(0, 2)]!;
  const people = shareItems(count, items, sharing);
  const all = add(people);
  return { people, items: all, effective: all ** 2 / add(people.map((one) => one ** 2)) };
}

function judge(
  trials: readonly Trial[],
  study: AnswerTable,
  { truth, sample, design }: Pick<Outcome, 'truth' | 'sample'> & { readonly design: Design },
): Outcome[] {
  const claims = trials.map(({ kind, measure }) => ({
    id: kind,
    statement: kind,
    evidence: { source: 'simulated', section: '' },
    measure,
    requires: { items: 1 },
  }));
  const trainings = sample === 'fixed' ? 'fixed' : 'drawn';
  const judged = judgeAnswers({ better: 'higher', trainings, claims }, study);
  return trials.map(({ kind, measure, isOfOthers = false }, at) => ({
    kind,
    truth,
    wrong: findWrong(kind, truth),
    verdict: judged[at]!.verdict,
    usual: judgeUsually(measure, study),
    sample,
    design: { ...design, people: design.people?.length ?? null },
    isOfOthers,
  }));
}

/** A published value is one number: between it and its margin, either verdict is right. */
function findWrong(kind: Kind, truth: Truth): Outcome['wrong'] {
  const isSmall = truth === '0' || truth === 'half';
  if (kind === 'accuracy' && truth === 'half') return null;
  const claimsDifference = kind === 'difference' || kind === 'order';
  return claimsDifference === isSmall ? 'reproduced' : 'not-reproduced';
}
