import pico from 'picocolors';
import { expect, test } from 'vitest';
import { describeChecklist } from '../../src/app/view/checklist.ts';

test('the table of a check has one line for each row, whatever names and texts contain', () => {
  const section = {
    rows: [
      { name: 'σ(τ)', state: 'ok', word: 'ok', text: 'four score and seven years ago' },
      { name: 'loss', state: 'failed', word: 'failed', text: '漢字 \u001b[2J is\nwide' },
    ],
    isGood: false,
    summary: 'Bad',
    remedy: ['run it'],
  } as const;
  expect(describeChecklist(section, pico.createColors(false))).toEqual([
    'σ(τ)  ok      four score and seven years ago',
    'loss  failed  漢字  is wide',
    'Bad',
    '  run it',
  ]);
});
