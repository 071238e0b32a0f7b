import { expect, test } from 'vitest';
import { createCpuEngine } from '../../../src/network/engines/tfjs/engine.ts';
import type { NetworkSpec } from '../../../src/network/spec.ts';
import { isAvailable, nativeEngine } from '../../native/support.ts';

/** Three LIF neurons with a fixed τ, each of which is a class of its own. */
function neurons(tauSteps: number): NetworkSpec {
  return {
    input: [3, 1, 1],
    classes: 3,
    layers: [
      {
        kind: 'neuron',
        name: 'n',
        shape: [3, 1, 1],
        neuron: {
          kind: 'lif',
          tau: { per: 'layer', mean: tauSteps, std: 0 },
          threshold: 1,
          reset: { kind: 'hard', potential: 0, detach: true },
          surrogate: { kind: 'atan', alpha: 2, learnable: false },
        },
      },
      { kind: 'flatten' },
      { kind: 'vote', group: 1 },
    ],
  };
}

/** Four steps of the three neurons' input. */
const STEPS = [
  [1, 3, 1],
  [1, 0, 1],
  [0, 2, 1],
  [2, 2, 1],
];

test.each([
  ['tfjs', true, () => createCpuEngine('test')],
  ['native', isAvailable, nativeEngine],
] as const)('a fixed τ of 1 keeps nothing from one step to the next: %s', async (_, available, engine) => {
  if (!available) return;
  const ratesWith = async (tauSteps: number) => {
    const session = await engine().open(neurons(tauSteps), new Map());
    const { rates } = await session.evaluate({ shape: [1, 4, 3, 1, 1], data: Uint8Array.from(STEPS.flat()) });
    session.dispose();
    return [...rates];
  };
  // τ = 1: h = x, so that every input of at least 1 makes a spike.
  expect(await ratesWith(1)).toEqual([0.75, 0.75, 1]);
  // τ = 2: h = (v + x) / 2. The first: 0.5, 0.75, 0.375, 1.1875; the second: 1.5, 0, 1, 1; the third: 0.5, 0.75, 0.875, 0.9375.
  expect(await ratesWith(2)).toEqual([0.25, 0.75, 0]);
});
