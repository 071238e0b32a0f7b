import { describe, expect, it } from 'vitest';
import type { ClipAnswer } from '../../../src/report/data/results.ts';
import { drawDifference } from '../../../src/report/figures/accuracy.ts';
import { drawClasses, drawUsers } from '../../../src/report/figures/groups.ts';
import { makeModelResult, makeResults, makeRunResult, resultsOf } from '../result-values.ts';

/** Ten clips of two classes and users: of "wave" 4 of 5 right, of "clap" 1 of 5; of user 9 all 3, of user 10 2 of 7. */
const answers: ClipAnswer[] = [
  ...[true, true, true, true, false].map((right, i) => ({ class: 0, right, user: i < 3 ? 9 : 10 })),
  ...[true, false, false, false, false].map((right) => ({ class: 1, right, user: 10 })),
].map((answer, clip) => ({ clip, ...answer }));

const results = resultsOf({ answers });

describe('accuracy by groups of clips', () => {
  it('has the counts of each class, and Wilson’s interval', () => {
    const { data, alt } = drawClasses(results);
    expect(data[0]?.join()).toBe('model,seed,class,clips,correct,accuracy,wilson_low,wilson_high');
    expect(data[1]?.slice(0, 6)).toEqual(['baseline', 2020, 'wave', 5, 4, 0.8]);
    // Wilson 1927 for 4 of 5: (0.3755, 0.9638).
    expect(data[1]?.[6]).toBeCloseTo(0.3755, 4);
    expect(data[1]?.[7]).toBeCloseTo(0.9638, 4);
    expect(data[2]?.slice(2, 6)).toEqual(['clap', 5, 1, 0.2]);
    expect(alt.replaceAll('\u00a0', ' ')).toContain(
      'Baseline: lowest clap with 20.0 %, highest wave with 80.0 %.',
    );
  });

  it('lists users by number, not by letter', () => {
    const figure = drawUsers(results);
    expect(figure?.data.slice(1).map((row) => row.slice(2, 5))).toEqual([
      ['user 9', 3, 3],
      ['user 10', 7, 2],
    ]);
    expect(figure?.title).toBe('Test accuracy by user');
    expect(drawUsers({ ...results, simulated: true })?.title).toBe('Test accuracy by simulated user');
  });

  it('leaves users out if the data set has none', () => {
    const nobody = answers.map((answer) => ({ ...answer, user: null }));
    const without = [makeModelResult({ runs: [makeRunResult({ answers: nobody })] })];
    expect(drawUsers(makeResults({ models: without }))).toBeNull();
  });

  it('counts a clip once, however many seeds answered it', () => {
    const wrong = answers.map((answer) => ({ ...answer, right: false }));
    const runs = [makeRunResult({ answers }), makeRunResult({ seed: 2021, answers: wrong })];
    const figure = drawClasses(makeResults({ seeds: [2020, 2021], models: [makeModelResult({ runs })] }));
    const values = JSON.stringify(figure.panels[0]?.spec);
    // 4 and 0 of 5: the interval is that of 2 of 5.
    expect(values).toContain('"value":0.4,"low":0.1176');
    expect(figure.data).toHaveLength(1 + 2 * 2);
  });
});

describe('the difference of validation and test accuracy', () => {
  it('is absolute, missing where either is, and described at the end', () => {
    const accuracy = { train: [0, 0, 0], validation: [0.5, 0.75, 0], test: [0.75, null, 0.5] };
    const runs = [makeRunResult({ metrics: { ...makeRunResult().metrics, accuracy } })];
    const { data, alt } = drawDifference(makeResults({ models: [makeModelResult({ runs })] }));
    expect(data.slice(1).map((row) => row[4])).toEqual([0.25, null, 0.5]);
    expect(alt.replaceAll('\u00a0', ' ')).toContain(
      'Baseline: 50.0 points on average over the last tenth of the epochs.',
    );
  });
});
