import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compareAccuracy } from '../../src/report/claims/judgement.ts';
import { marginOf } from '../../src/verdicts/published-values.ts';
import { NORMAL_QUANTILES, studentQuantile } from '../../src/verdicts/stats/distributions.ts';
import { independentDifference } from '../../src/verdicts/stats/proportions.ts';

const page = readFileSync(new URL('../../docs/claims.md', import.meta.url), 'utf8').replaceAll('\n', ' ');
const CLIPS = 288;
const Z_90 = NORMAL_QUANTILES['95'];

it('docs/claims.md says which counts reproduce and which contradict each published one', () => {
  const rows = [
    ...page.matchAll(/\| (\d+) \([^|]+\) \| (\d+) \| (\d+) to (\d+) \| (\d+) or fewer, (\d+) or more \|/g),
  ];
  expect(rows.map(([, correct]) => Number(correct))).toEqual([274, 275, 276, 277, 278, 281]);
  const counts = Array.from({ length: CLIPS + 1 }, (_, correct) => correct);
  for (const [, ...cells] of rows) {
    const [correct = 0, margin, ...bounds] = cells.map(Number);
    const published = { correct, clips: CLIPS };
    const found = (verdict: string) =>
      counts.filter(
        (ours) => compareAccuracy({ correct: ours, clips: CLIPS }, published).verdict === verdict,
      );
    const [reproduced, contradicted] = [found('reproduced'), found('not-reproduced')];
    expect(margin).toBe(marginOf(published));
    expect(bounds, `${correct}`).toEqual([
      reproduced[0],
      reproduced.at(-1),
      Math.max(...contradicted.filter((ours) => ours < correct)),
      Math.min(...contradicted.filter((ours) => ours > correct)),
    ]);
  }
});

it('docs/claims.md explains the margins with their numbers', () => {
  const equal = { successes: 275, trials: CLIPS };
  const { low, high } = independentDifference(equal, equal, Z_90);
  const reach = CLIPS * Math.max(-low, high);
  const deviation = Math.sqrt((2 * 275 * 13) / CLIPS);
  expect(page).toContain(`counts reaches ${reach.toFixed(1)} clips to either side`);
  expect(page).toContain(
    `differ by ${(NORMAL_QUANTILES['75'] * deviation).toFixed(1)} clips or less in half of the cases`,
  );
  // Four of five: 90 % of the normal distribution on either side.
  expect(page).toContain(`in four of five takes ${Math.ceil(reach + 1.2816 * deviation)} clips`);
  expect(page).toContain(`of ${studentQuantile(0.975, 5).toFixed(2)} standard errors over six people`);
});

it('docs/claims.md says what it takes to show that there is no difference', () => {
  // Six users of the same number of clips.
  const deviation = ((6 / CLIPS) * Math.sqrt(6)) / studentQuantile(0.95, 5);
  expect(page).toContain(`differences must be below ${(100 * deviation).toFixed(1)} points`);
});
