/** What may become of a claim, in claims.json and in a committed baseline; the best comes first. */
export const VERDICTS = [
  'reproduced',
  'not-reproduced',
  'inconclusive',
  'reduced-scale',
  'not-applicable',
] as const;
export type Verdict = (typeof VERDICTS)[number];

export const VERDICT_TITLES: Readonly<Record<Verdict, string>> = {
  reproduced: 'reproduced',
  'not-reproduced': 'not reproduced',
  inconclusive: 'inconclusive',
  'reduced-scale': 'reduced scale',
  'not-applicable': 'not applicable',
};
