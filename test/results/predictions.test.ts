import { describe, expect, it } from 'vitest';
import { formatPredictions, readTestAnswers } from '../../src/results/predictions.ts';
import { resultFile } from './examples.ts';

it('lists each clip with its recording, its class, the predicted class and the rates', () => {
  const clips = [
    { recording: 'user24_led', user: 24, light: 'led', class: 1 },
    { recording: 'Train/0/00002.bin', user: null, light: null, class: 0 },
  ];
  const rates = Float32Array.of(0.1, 0.3, 0.25, 0);
  const predicted = Int32Array.of(1, 0);
  expect(formatPredictions(2, [{ split: 'test', rows: Int32Array.of(1, 0), clips, rates, predicted }])).toBe(
    'split,clip,recording,user,light,class,predicted,rate_0,rate_1\n' +
      'test,1,Train/0/00002.bin,,,0,1,0.1,0.3\n' +
      'test,0,user24_led,24,led,1,0,0.25,0\n',
  );
});

describe('the answers to the test clips', () => {
  const head = 'split,clip,recording,user,light,class,predicted,rate_0\n';
  const read = (...rows: string[]) =>
    readTestAnswers(resultFile('predictions.csv', `${head}${rows.join('\n')}\n`));

  it('are read in the order of the clips', () => {
    expect(read('test,0,"a,b",24,led,1,2,0.5', 'validation,7,c,1,led,0,0,0', 'test,1,d,,,0,0,0')).toEqual([
      { clip: 0, recording: 'a,b', user: 24, class: 1, predicted: 2 },
      { clip: 1, recording: 'd', user: null, class: 0, predicted: 0 },
    ]);
  });

  it.each(
    Object.entries<[reading: () => unknown, message: string]>({
      'a clip that is not a number': [
        () => read('test,one,a,1,led,0,0,0'),
        'line 2, column "clip": expected a whole',
      ],
      'a clip that comes twice': [
        () => read('test,0,a,1,led,0,0,0', 'test,0,a,1,led,0,0,0'),
        'line 3, column "clip": expected test clip 1 or a later one, found 0',
      ],
      'no test clips': [() => read('validation,0,a,1,led,0,0,0'), 'has no test clips'],
      'an answer that is no class': [
        () => read('test,0,a,1,led,0,,0'),
        'line 2, column "predicted": expected a whole',
      ],
      'a missing column': [
        () => readTestAnswers(resultFile('f', 'split,clip\n')),
        'column "recording" is missing',
      ],
    }),
  )('with %s are refused', (_, [reading, message]) => {
    expect(reading).toThrow(message);
  });
});
