import { expect, test } from 'vitest';
import { sectionOfClaims } from '../../src/app/records/check.ts';
import type { Verdict } from '../../src/verdicts/verdicts.ts';

const claims = (...verdicts: Verdict[]) =>
  verdicts.map((verdict, i) => ({
    id: `claim-${i}`,
    statement: 'It is so',
    measured: verdict === 'not-applicable' ? null : '83 %',
    verdict,
    reason: `Reason ${i}.`,
  }));

test.each<[Verdict[], boolean, string]>([
  [
    ['reproduced', 'reduced-scale'],
    true,
    'none of 1 judged claims is contradicted; 1 is measured at reduced scale',
  ],
  [
    ['not-reproduced', 'reduced-scale'],
    false,
    '1 of 1 judged claims is not reproduced, or worse than in the baseline',
  ],
  [
    ['reduced-scale', 'reduced-scale'],
    true,
    'none of 2 claims can be judged; 2 are measured at reduced scale',
  ],
  [['not-applicable', 'not-applicable'], true, 'none of 2 claims can be judged'],
])('claims that are %j', (verdicts, isGood, summary) => {
  const section = sectionOfClaims('full', null, claims(...verdicts));
  expect(section).toMatchObject({ isGood, summary: `profile full: ${summary}` });
});

test('claims about other data are one sentence, and no failure', () => {
  const reason = 'The claim is about another data set.';
  const elsewhere = claims('not-applicable', 'not-applicable').map((claim) => ({ ...claim, reason }));
  expect(sectionOfClaims('bars', null, elsewhere)).toMatchObject({
    isGood: true,
    summary: 'profile bars: the published claims are about other data sets.',
  });
});

test('a claim measured at reduced scale is shown, but neither passes nor fails', () => {
  const section = sectionOfClaims('full', { claims: { 'claim-0': 'reproduced' } }, claims('reduced-scale'));
  expect(section.rows).toEqual([
    {
      name: 'claim claim-0',
      state: 'noted',
      word: 'reduced scale',
      text: 'It is so. Measured: 83 %. Reason 0. In the baseline: reproduced.',
    },
  ]);
});
