import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { cosineLearningRate } from '../../src/training/schedule.ts';
import '../support/all-close.ts';

const index = JSON.parse(readFileSync(new URL('../golden/index.json', import.meta.url), 'utf8'));
const golden: number[] = index.cosine_lr_T_max_64;

it('gives the learning rates of the original over its two and more periods', () => {
  const rates = golden.map((_, epoch) => cosineLearningRate(1e-3, 64, epoch));
  expect(golden.length).toBeGreaterThan(128);
  // The original multiplies its way from epoch to epoch, and so gathers rounding errors.
  expect(rates).toBeAllclose(golden, { relative: 1e-9, absolute: 1e-17 });
});
