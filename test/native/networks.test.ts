import { describe, expect, test } from 'vitest';
import type { StepResult } from '../../src/network/engines/engine.ts';
import {
  caseOf,
  checkLoss,
  checkStep,
  compareSteps,
  hyperparameters,
  losses,
  networks,
} from './network-cases.ts';
import { allSets, isAvailable, livelyState, nativeEngine, randomBatch } from './support.ts';

test.skipIf(!isAvailable)('Winograd tiles of 4 x 4 give the same gradients, with more rounding', async () => {
  const { spec } = caseOf('the thesis, smaller');
  const results: StepResult[] = [];
  for (const tiles of ['2x2', '4x4']) {
    const session = await nativeEngine(undefined, 2, tiles).open(spec, livelyState(spec));
    results.push(await session.trainStep(randomBatch(spec), hyperparameters, { keepGradients: true }));
    session.dispose();
  }
  const [exact, fast] = results as [StepResult, StepResult];
  compareSteps(fast, exact);
  const first = (step: StepResult) => Array.from(step.gradients?.get('conv.0.weight')?.data ?? [], Number);
  expect(first(fast)).not.toEqual(first(exact));
});

describe.each(allSets)('a training step of the native engine on %s', (instructionSet) => {
  test.each(Object.keys(networks))(
    'is that of TensorFlow.js, as is an evaluation before and after it: %s',
    (name) => checkStep(nativeEngine(instructionSet), name),
  );

  test.each(Object.keys(losses))('is that of TensorFlow.js with %s in the loss', (name) =>
    checkLoss(nativeEngine(instructionSet), name),
  );
});
