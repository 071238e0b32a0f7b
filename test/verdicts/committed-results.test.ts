import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAnswers } from '../../src/verdicts/answers.ts';
import type { QuestionEntry } from '../../src/verdicts/claims-file.ts';
import { judgeAnswers } from '../../src/verdicts/judge-claims.ts';
import { stateClaim, toTable } from './studies.ts';

const root = path.resolve(import.meta.dirname, '../..');
// Others keep no answers.
const committed = readdirSync(path.join(root, 'results'), { recursive: true, encoding: 'utf8' })
  .filter((name) => path.basename(name) === 'answers.csv')
  .map((name) => `results/${name}`)
  .sort();

describe('the judge, from committed answers, says what the report says', () => {
  test.each(committed)('%s', (file) => {
    const claims = file.replace('answers.csv', 'claims.json');
    const { question } = JSON.parse(readFileSync(path.join(root, claims), 'utf8')) as {
      question: QuestionEntry;
    };
    const study = readAnswers(toTable(readFileSync(path.join(root, file), 'utf8')), file);
    const { arms, margin, baseline } = question;
    const judged = judgeAnswers(
      {
        ...{ better: 'higher', trainings: 'drawn' },
        claims: arms.map(({ model: arm, baseline: than = baseline }) =>
          stateClaim({ kind: 'equivalence', arm, than, margin }),
        ),
      },
      study,
    );
    expect(judged.length).toBeGreaterThan(0);
    for (const [index, { difference, low, high, verdict }] of arms.entries()) {
      const { contrasts, verdict: ours } = judged[index]!;
      const { interval } = contrasts[0]!.contrast.certainty ?? { interval: { low: null, high: null } };
      expect(contrasts[0]!.contrast.difference).toBeCloseTo(difference, 12);
      expect(interval.low).toEqual(low === null ? null : expect.closeTo(low, 12));
      expect(interval.high).toEqual(high === null ? null : expect.closeTo(high, 12));
      if (verdict === 'equivalent') expect(ours).toBe('reproduced');
      // A difference may be significant before it is corrected for the number of arms.
      if (verdict === 'undecided') expect(ours).not.toBe('reproduced');
    }
  });
});
