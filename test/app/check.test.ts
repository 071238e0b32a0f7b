import pico from 'picocolors';
import { expect, test } from 'vitest';
import { describeSection } from '../../src/app/records/check.ts';

test('the table of a check has one line for each row, whatever names and texts contain', () => {
  const section = {
    document: { kind: 'baseline', profile: 'x' },
    rows: [
      { name: 'σ(τ)', state: 'ok', word: 'ok', text: 'four score and seven years ago' },
      { name: 'loss', state: 'failed', word: 'failed', text: '漢字 \u001b[2J is\nwide' },
    ],
    isGood: false,
    summary: 'Bad',
    remedy: ['run it'],
  } as const;
  expect(describeSection(section, pico.createColors(false))).toEqual([
    'σ(τ)  ok      four score and seven years ago',
    'loss  failed  漢字  is wide',
    'Bad',
    '  run it',
  ]);
});
