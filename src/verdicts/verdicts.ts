/** The verdicts that say whether a claim holds, in the order in which reports count them. */
export const ANSWERS = ['reproduced', 'not-reproduced', 'inconclusive'] as const;
export type Answer = (typeof ANSWERS)[number];

/** The verdicts on a published claim, in claims.json and in a committed baseline. */
export const VERDICTS = [...ANSWERS, 'reduced-scale', 'not-applicable'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const VERDICT_TITLES: Readonly<Record<Verdict, string>> = {
  reproduced: 'reproduced',
  'not-reproduced': 'not reproduced',
  inconclusive: 'inconclusive',
  'reduced-scale': 'reduced scale',
  'not-applicable': 'not applicable',
};

/**
 * What is said of a difference: certainly not 0 (`different`), certainly within the margin (`equivalent`), both (`slight`), or neither.
 */
export const DIFFERENCE_VERDICTS = ['different', 'slight', 'equivalent', 'undecided'] as const;
export type DifferenceVerdict = (typeof DIFFERENCE_VERDICTS)[number];

export const DIFFERENCE_TITLES: Readonly<Record<DifferenceVerdict, string>> = {
  different: 'different',
  slight: 'different, but by less than the margin',
  equivalent: 'equivalent',
  undecided: 'undecided',
};
