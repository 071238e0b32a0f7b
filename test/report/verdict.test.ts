import { describe, expect, it } from 'vitest';
import type { Text } from '../../src/report/document.ts';
import { judgeModels } from '../../src/report/outcome.ts';
import type { ModelResult, Results } from '../../src/report/results.ts';
import { writeVerdict } from '../../src/report/verdict.ts';
import { makeModelResult, makeResults, makeRunResult, split } from './result-values.ts';

function plain(text: Text): string {
  return text
    .map((part) => {
      if (typeof part === 'string') return part;
      if ('strong' in part) return part.strong;
      return 'code' in part ? part.code : part.text;
    })
    .join('')
    .replaceAll('\u00a0', ' ');
}

const verdict = (results: Results): string[] => writeVerdict(results, judgeModels(results)).map(plain);

/** A model with so many of 100 test clips correct, both at the chosen epoch and at best. */
function scoring(title: string, correct: number, published: number | null = null): ModelResult {
  return makeModelResult({
    id: title,
    title,
    published: published === null ? null : { name: title, test: published, validation: 1 },
    runs: [
      makeRunResult({
        test: split(correct, 100),
        maximum: { test: { epoch: 3, accuracy: correct / 100 }, validation: { epoch: 2, accuracy: 0.9 } },
      }),
    ],
  });
}

describe('the verdict', () => {
  it('says that a published accuracy lies within the interval', () => {
    // 95 of 100: Wilson 0.888 to 0.978.
    expect(verdict(makeResults({ models: [scoring('A', 95, 0.955)] }))[0]).toBe(
      'The published test accuracy lies within the 95 % interval of the reproduced one, both as maxima over epochs.',
    );
  });

  it('names the models whose published accuracy lies outside', () => {
    const models = [scoring('A', 95, 0.955), scoring('B', 80, 0.955)];
    expect(verdict(makeResults({ models }))[0]).toBe(
      'One of the two published test accuracies lies within the 95 % interval of the reproduced one, both as maxima over epochs. Outside: B (published 95.5 %, reproduced 71.1–86.7 %).',
    );
  });

  it('says that none or all lie within', () => {
    const none = [scoring('A', 60, 0.955), scoring('B', 80, 0.955)];
    expect(verdict(makeResults({ models: none }))[0]).toContain('None of the two published');
    const all = [scoring('A', 95, 0.955), scoring('B', 95, 0.955)];
    expect(verdict(makeResults({ models: all }))[0]).toContain('Both published test accuracies lie within');
  });

  it('never compares simulated data with the thesis', () => {
    const lines = verdict(makeResults({ simulated: true, models: [scoring('A', 95, 0.955)] }));
    expect(lines[0]).toContain('95.0 % of 100 simulated test clips');
    expect(lines.join(' ')).toContain('These results say nothing about the thesis');
    expect(lines.join(' ')).not.toContain('published');
  });

  it('never compares another data set with the thesis', () => {
    const lines = verdict(makeResults({ dataset: 'nmnist', models: [scoring('A', 95, 0.955)] }));
    expect(lines.join(' ')).toContain(
      'These results say nothing about the thesis, which used DVS128 Gesture',
    );
    expect(lines.join(' ')).not.toContain('published');
  });

  it('says when a model is not clearly better than guessing', () => {
    // Chance is 50 %: guessing gets 58 or more of 100 right with 6.7 %, 70 or more with 0.004 %.
    const results = makeResults({ simulated: true, models: [scoring('A', 58), scoring('B', 70)] });
    expect(verdict(results)[0]).toBe(
      'One of two models is clearly better than guessing on the 100 simulated test clips. They classify from 58.0 % (A) to 70.0 % (B) correctly at the epoch chosen by validation; chance is 50.0 %. “Clearly” means that guessing would get as many right with a probability of at most 2.5 %, divided by the number of models.',
    );
    expect(verdict(makeResults({ simulated: true, models: [scoring('A', 58)] }))[0]).toContain(
      'chance is 50.0 %. This is not clearly better than guessing, which would get as many right with a probability of 6.7 %.',
    );
  });

  it('compares models with the best constant answer if classes differ in size', () => {
    // 58 of 100 is clearly above a chance of 33.3 %, but 60 of 100 clips belong to one class.
    const confusion = [
      [10, 5, 5],
      [10, 40, 10],
      [6, 6, 8],
    ];
    const model = makeModelResult({ runs: [makeRunResult({ test: split(58, 100), confusion })] });
    const line = verdict(
      makeResults({ classes: ['wave', 'roll', 'clap'], simulated: true, models: [model] }),
    )[0];
    expect(line).toContain('chance is 33.3 %, always answering “roll” would give 60.0 %.');
    expect(line).toContain('This is not clearly better than guessing, which');
  });

  it('allows for few clips: with a chance of one in eleven, 5 of 22 are not clearly better, 9 are', () => {
    // Wilson's interval for 5 of 22 begins at 10.1 %, above 9.1 %, but guessing gets 5 or more right with 4.4 %.
    const classes = Array.from({ length: 11 }, (_, i) => `gesture ${i + 1}`);
    const right = (title: string, correct: number) =>
      makeModelResult({
        title,
        runs: [
          makeRunResult({
            test: split(correct, 22),
            // Two clips per class; those of the first classes are correct.
            confusion: classes.map((_, row) =>
              classes.map((_, column) => {
                const own = Math.min(2, Math.max(0, correct - 2 * row));
                return row === column ? own : column === (row + 1) % 11 ? 2 - own : 0;
              }),
            ),
          }),
        ],
      });
    const verdictOf = (...models: ModelResult[]) =>
      verdict(makeResults({ simulated: true, classes, models }))[0];
    expect(verdictOf(right('A', 5), right('B', 5))).toContain('No model is clearly better than guessing');
    expect(verdictOf(right('A', 5))).toContain(
      'guessing, which would get as many right with a probability of 4.4 %.',
    );
    expect(verdictOf(right('A', 9), right('B', 9))).toContain('Both models are clearly better than guessing');
    // Guessing gets 6 of 22 right with 1.2 %: enough evidence for a single model or one of two, not for one of three.
    expect(verdictOf(right('A', 6))).not.toContain('clearly');
    expect(verdictOf(right('A', 6), right('B', 9))).toContain('Both models are clearly better');
    expect(verdictOf(right('A', 6), right('B', 9), right('C', 9))).toContain(
      'Two of three models are clearly better',
    );
  });

  it('distinguishes models only if their intervals do not overlap', () => {
    const close = makeResults({ models: [scoring('A', 90), scoring('B', 92)] });
    expect(verdict(close)).toContain(
      'The 95 % intervals of all models overlap, so they do not distinguish the models.',
    );
    const apart = makeResults({ models: [scoring('A', 60), scoring('No Reg.', 92)] });
    expect(verdict(apart)).toContain('The 95 % intervals of some models do not overlap: No Reg. above A.');
  });

  it('names the settings that were scaled down', () => {
    const model = makeModelResult({
      runs: [makeRunResult({ network: { channels: 8 }, training: { epochs: 12 } })],
    });
    expect(verdict(makeResults({ models: [model] })).at(-1)).toBe(
      'Settings differ from the thesis: 8 channels instead of 128 and 12 epochs instead of 1\u202f256 (all of them).',
    );
  });

  it('reports a model that gives the same answer to everything', () => {
    const confusion = [
      [50, 0],
      [50, 0],
    ];
    const silent = makeModelResult({ runs: [makeRunResult({ test: split(50, 100), confusion })] });
    expect(verdict(makeResults({ simulated: true, models: [silent] })).join(' ')).toContain(
      'One model gives the same answer to every clip: Baseline (wave).',
    );
    expect(verdict(makeResults()).join(' ')).not.toContain('same answer');
  });

  it('does not give a range if all models score the same', () => {
    const results = makeResults({ simulated: true, models: [scoring('A', 90), scoring('B', 90)] });
    expect(verdict(results)[0]).toContain('Each classifies 90.0 % correctly');
  });
});
