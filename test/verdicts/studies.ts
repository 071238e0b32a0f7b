import Papa from 'papaparse';
import { readAnswers } from '../../src/verdicts/answers.ts';
import { type ClaimJudgement, judgeAnswers } from '../../src/verdicts/judge-claims.ts';
import type { StatedClaim, StatedClaims, StatedMeasure } from '../../src/verdicts/stated-claims.ts';

/** Values of an arm: a row for each seed, a column for each item. */
export type Values = Readonly<Record<string, readonly (readonly (number | boolean)[])[]>>;

/** The table of such values, with items 0, 1, …, and seeds from 1. @param groupOf the group of an item */
export function tabulate(values: Values, groupOf?: (item: number) => string): string {
  const isScore = Object.values(values).some((rows) => rows.flat().some((one) => typeof one === 'number'));
  const lines = Object.entries(values).flatMap(([arm, rows]) =>
    rows.flatMap((row, seed) =>
      row.map((value, item) =>
        [arm, seed + 1, item, Number(value), ...(groupOf ? [groupOf(item)] : [])].join(','),
      ),
    ),
  );
  return [`arm,seed,item,${isScore ? 'value' : 'correct'}${groupOf ? ',group' : ''}`, ...lines, ''].join(
    '\n',
  );
}

/** As the thesis publishes that of its baseline. */
export const ACCURACY = { kind: 'accuracy', arm: 'a', published: 0.955, n: 288 } as const;

export function stateClaim(measure: StatedMeasure, overrides: Partial<StatedClaim> = {}): StatedClaim {
  return { id: 'a', statement: 'so', evidence: { source: 'Here', section: '1' }, measure, ...overrides };
}

/** Judges one claim. */
export function judgeOne(
  measure: StatedMeasure,
  values: Values,
  {
    groupOf,
    requires,
    ...stated
  }: Partial<StatedClaims> &
    Pick<StatedClaim, 'requires'> & { readonly groupOf?: (item: number) => string } = {},
): ClaimJudgement {
  const study = readAnswers(tabulate(values, groupOf), 'results.csv');
  const claims = [stateClaim(measure, requires === undefined ? {} : { requires })];
  return judgeAnswers({ better: 'higher', trainings: 'drawn', ...stated, claims }, study)[0]!;
}

/** So many right answers of so many. */
export function right(correct: number, of: number): boolean[] {
  return Array.from({ length: of }, (_, item) => item < correct);
}

/** The table of committed answers, a column for each training, as one for the judge. */
export function toTable(text: string): string {
  const [[, , , ...trainings] = [], ...rows] = Papa.parse<string[]>(text.trim()).data;
  const hasUsers = rows.every(([, user]) => user !== '');
  const lines = rows.flatMap(([clip, user, , ...answers]) =>
    trainings.flatMap((training, i) =>
      answers[i] === ''
        ? []
        : [[...training.split('@'), clip, answers[i], ...(hasUsers ? [user] : [])].join(',')],
    ),
  );
  return [`arm,seed,item,correct${hasUsers ? ',group' : ''}`, ...lines].join('\n');
}
