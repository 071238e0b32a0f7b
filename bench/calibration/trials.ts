import type { AnswerTable } from '../../src/verdicts/answers.ts';
import { defaultMargin, judgeAnswers } from '../../src/verdicts/judge-claims.ts';
import type { StatedMeasure } from '../../src/verdicts/stated-claims.ts';
import type { Answer, Verdict } from '../../src/verdicts/verdicts.ts';
import {
  createRandom,
  type Design,
  drawDesign,
  drawItems,
  publish,
  type Random,
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
  /** Of one training, whose effect counts as part of the truth. */
  readonly isFixed: boolean;
}

/** A claim about a study, and what was said of it. */
export interface Outcome {
  readonly kind: Kind;
  readonly truth: Truth;
  /** The verdict that contradicts the truth; null if none does. */
  readonly wrong: Exclude<Answer, 'inconclusive'> | null;
  readonly verdict: Verdict;
  readonly usual: UsualAnswers;
  readonly design: Omit<Design, 'people'> & { readonly people: number | null; readonly isFixed: boolean };
}

interface Trial {
  readonly kind: Kind;
  readonly measure: StatedMeasure;
}

export function simulateChunk({ truth, seed, studies, isFixed }: Chunk): Outcome[] {
  const random = createRandom(seed);
  return Array.from({ length: studies }, () => {
    const drawn = drawDesign(random);
    const design = isFixed ? { ...drawn, seeds: 1, deviation: { ...drawn.deviation, seeds: 0 } } : drawn;
    const beyond = random.either() ? 1.5 : 2;
    const size = { 0: 0, half: 0.5, margin: 1, beyond }[truth];
    return [compareArms(size, beyond, design, random), comparePublished(size, design, random)].flatMap(
      ({ study, trials }) => judge(trials, study, { truth, isFixed, design }),
    );
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
 * the same people, or else of other items.
 */
function comparePublished(size: number, design: Design, random: Random): Simulated {
  const { isScore, people, items, accuracy } = design;
  const trainings = random.either() ? 1 : 5;
  const [set, other] = [drawItems(design, random), drawItems(design, random)];
  const { value, deviation, error } = publish(accuracy, trainings, people ? set : other, design, random);
  const margin = isScore ? MARGIN : defaultMargin({ correct: value * items, clips: items });
  const [better, worse] = [accuracy + size * margin, accuracy - size * margin];
  const ours = random.either() && better <= MOST ? better : worse;
  const published = {
    arm: 'a',
    published: value,
    seeds: trainings,
    ...(trainings > 1 ? { sd: deviation } : {}),
  };
  const measure: StatedMeasure = isScore
    ? { kind: 'score', ...published, margin, error: people === null ? error : 0 }
    : { kind: 'accuracy', ...published, n: items };
  return {
    study: simulateStudy([ours], set, design, random),
    trials: [{ kind: 'accuracy', measure }],
  };
}

function judge(
  trials: readonly Trial[],
  study: AnswerTable,
  { truth, isFixed, design }: Pick<Outcome, 'truth'> & { isFixed: boolean; design: Design },
): Outcome[] {
  const claims = trials.map(({ kind, measure }) => ({
    id: kind,
    statement: kind,
    evidence: { source: 'simulated', section: '' },
    measure,
  }));
  const judged = judgeAnswers({ better: 'higher', trainings: isFixed ? 'fixed' : 'drawn', claims }, study);
  return trials.map(({ kind, measure }, at) => ({
    kind,
    truth,
    wrong: findWrong(kind, truth),
    verdict: judged[at]!.verdict,
    usual: judgeUsually(measure, study),
    design: { ...design, people: design.people?.length ?? null, isFixed },
  }));
}

/** A published value is one number: between it and its margin, either verdict is right. */
function findWrong(kind: Kind, truth: Truth): Outcome['wrong'] {
  const isSmall = truth === '0' || truth === 'half';
  if (kind === 'accuracy' && truth === 'half') return null;
  const claimsDifference = kind === 'difference' || kind === 'order';
  return claimsDifference === isSmall ? 'reproduced' : 'not-reproduced';
}
