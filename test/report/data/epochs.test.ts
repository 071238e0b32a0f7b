import { describe, expect, it } from 'vitest';
import { explainTies, nameEpoch, warnOfChoice } from '../../../src/report/data/epochs.ts';
import type { RunResult } from '../../../src/report/data/results.ts';
import { blocksOf } from '../../../src/report/page/document.ts';
import { renderMarkdown } from '../../../src/report/page/markdown.ts';
import { buildReport } from '../../../src/report/report.ts';
import { ENVIRONMENT, makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

const model = (title: string, chosenOn: RunResult['chosenOn']) =>
  makeModelResult({ id: title, title, runs: [makeRunResult({ chosenOn })] });
const [byValidation, byTest] = [model('A', 'validation'), model('B', 'test')];

const report = (...models: (typeof byTest)[]) =>
  buildReport(makeResults({ models }), { title: 'A run', environment: ENVIRONMENT });

describe('the wording for the choice of the epoch', () => {
  it('names the rule', () => {
    expect(nameEpoch([byValidation])).toBe('epoch chosen by validation');
    expect(nameEpoch([byTest])).toBe('epoch chosen on the test clips');
    expect(nameEpoch([model('C', null)])).toBe('last epoch');
    expect(warnOfChoice([model('C', null)])).toBeNull();
    expect(nameEpoch([byValidation, byTest])).toBe('epoch chosen by each model’s own rule');
    expect(warnOfChoice([byValidation])).toBeNull();
    expect(warnOfChoice([byTest])).toContain('the epoch was chosen on the test clips themselves');
    expect(warnOfChoice([byValidation, byTest])).toContain('the epoch of B was chosen on the test clips');
  });

  it('names the rule for ties, in table 1 and below its figure', () => {
    expect(explainTies([model('C', null)])).toBeNull();
    const latest = 'Of epochs with the same validation accuracy, the latest is chosen.';
    const first = 'Of epochs with the same test accuracy, the first is chosen.';
    expect(explainTies([byTest, byValidation])).toBe(`${latest} ${first}`);
    expect(renderMarkdown(report(byValidation)).split(latest)).toHaveLength(3);
  });

  it('never claims validation if the epoch was chosen on the test clips', () => {
    const text = renderMarkdown(report(byTest));
    expect(text).not.toMatch(/chosen by validation|validation clips chose/);
    expect(text).toContain('**Note:** the epoch was chosen on the test clips themselves');
    expect(text).toContain('Reproduced, epoch chosen on the test clips: test');
    // Once is enough.
    expect(text.match(/chosen on the test clips themselves \(/g)).toHaveLength(1);
  });

  it('does not mention the test clips if validation chose it', () => {
    expect(renderMarkdown(report(byValidation))).not.toMatch(/\*\*Note|chosen on the test clips: /);
  });

  it('is included in the data of the outcomes figure', () => {
    const [outcomes] = blocksOf(report(byValidation, byTest), 'figure').map(({ figure }) => figure);
    const choices = outcomes?.data.filter((row) => row[2] === 'test').map((row) => [row[0], row[3]]);
    expect(choices).toEqual([
      ['A', 'validation'],
      ['A', 'maximum'],
      ['B', 'test'],
      ['B', 'maximum'],
    ]);
  });
});
