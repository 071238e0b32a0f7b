import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compareAccuracy } from '../../src/report/claims/judgement.ts';
import { marginOf } from '../../src/verdicts/published-values.ts';

const page = readFileSync(new URL('../../docs/claims.md', import.meta.url), 'utf8').replaceAll('\n', ' ');
const CLIPS = 288;

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
