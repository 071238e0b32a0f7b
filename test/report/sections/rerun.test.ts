import { expect, it } from 'vitest';
import { describeRerun } from '../../../src/report/sections/rerun.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

const textOf = (results: ReturnType<typeof makeResults>) => {
  const [paragraph] = describeRerun(results).blocks;
  if (paragraph?.kind !== 'paragraph') throw new Error('the section begins with a paragraph');
  return paragraph.text.map((part) => (typeof part === 'string' ? part : Object.values(part)[0])).join('');
};

it('the commands say with which settings the run was made, and where its profile is on record', () => {
  const runs = [makeRunResult({ seed: 7 }), makeRunResult({ seed: 8 })];
  const models = [makeModelResult({ runs }), makeModelResult({ id: 'no-reg', runs })];
  const text = textOf(makeResults({ seeds: [7, 8], models }));
  expect(text).toContain("--set models='[baseline,no-reg]' --set seeds='[7,8]' --set train.epochs=3");
  expect(text).toContain('./repro explain report --list names it');
  expect(text).toContain('./repro explain train@baseline,7 shows');
});

it('no number of epochs is named where runs have different ones', () => {
  const { metrics } = makeRunResult();
  const short = { ...metrics, epochs: [1] };
  const runs = [makeRunResult(), makeRunResult({ metrics: short })];
  expect(textOf(makeResults({ models: [makeModelResult({ runs })] }))).not.toContain('train.epochs');
});
