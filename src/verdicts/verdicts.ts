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

/** What a run says of an arm compared with its baseline. */
export const ARM_VERDICTS = ['different', 'equivalent', 'undecided'] as const;
export type ArmVerdict = (typeof ARM_VERDICTS)[number];
