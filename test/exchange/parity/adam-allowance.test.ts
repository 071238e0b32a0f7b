import { describe, expect, it } from 'vitest';
import { AdamAllowance } from '../../../src/exchange/parity/tolerances.ts';
import { readSafetensors } from '../../../src/formats/safetensors.ts';
import type { State } from '../../../src/formats/tensor.ts';
import { createCpuEngine } from '../../../src/network/engines/tfjs/engine.ts';
import { type Adam, type AdamStep, adam } from '../../../src/network/engines/tfjs/loss.ts';
import { floats, runFolder } from './case-folders.ts';
import { goldenFolders, kindsOf, openGolden } from './golden-folders.ts';

/** The allowance of parameter `a` after steps with these gradients, any of which may be off by 1e-5, at learning rates of 1. */
const allow = (...steps: readonly (readonly number[])[]): number[] => {
  const allowance = new AdamAllowance();
  for (const gradients of steps) {
    allowance.addStep(
      () => 1,
      new Map([['a', floats([gradients.length], ...gradients)]]),
      () => ({
        terms: (1e-5 * 2 ** 22) ** 2,
      }),
    );
  }
  return [...(allowance.of('a') ?? [])];
};

describe('AdamAllowance', () => {
  it('allows a whole step in either direction if the sign of a gradient is in doubt, and nothing if it is exactly 0', () => {
    // ±1e-5 moves a step of g / (|g| + 1e-8), which is itself the result of ten roundings: 4 · 2⁻²⁴ · √10.
    const [large, clear, doubtful, zero] = allow([1, 1e-3, 5e-6, 0]);
    expect(large).toBeCloseTo(7.54e-7, 9);
    expect(clear).toBeLessThan(2e-6);
    expect(doubtful).toBeCloseTo(2, 2);
    expect(zero).toBe(0);
  });

  it('adds up over steps', () => {
    const [, after1] = allow([1, 5e-6]);
    const [, after2] = allow([1, 5e-6], [1, 5e-6]);
    expect(after2).toBeGreaterThan(after1!);
    expect(after2).toBeLessThan(3 * after1!);
  });

  it('knows no parameters but those that had gradients', () => {
    expect(new AdamAllowance().of('b')).toBeUndefined();
  });
});

const networks = await Promise.all(
  goldenFolders.map(async (name) => {
    const folder = await openGolden(name);
    const cases = [...(await kindsOf(folder))].filter(([, kind]) => kind === 'network');
    return { name, folder, cases: cases.map(([one]) => one) };
  }),
);

const otherAdam =
  (change: (step: AdamStep) => AdamStep): Adam =>
  (parameter, gradient, first, second, step) =>
    adam(parameter, gradient, first, second, change(step));

describe.each(networks)('in test/$name', ({ folder, cases }) => {
  it.each<[string, (step: AdamStep) => AdamStep]>([
    ['ε = 1e-7', (step) => ({ ...step, epsilon: 1e-7 })],
    ['β1 = 0.95', (step) => ({ ...step, beta1: 0.95 })],
    ['β2 = 0.99', (step) => ({ ...step, beta2: 0.99 })],
    ['a bias correction that is one step ahead', (step) => ({ ...step, step: step.step + 1 })],
    ['no bias correction', (step) => ({ ...step, step: 1e9 })],
  ])('Adam with %s fails in a network case', async (_, change) => {
    const outcomes = await runFolder(folder, cases.slice(0, 1), createCpuEngine('test', otherAdam(change)));
    const failed = outcomes.filter(({ comparisons }) =>
      comparisons.some(({ what, passed }) => what.startsWith('parameters') && !passed),
    );
    expect(failed.map(({ name }) => name)).toEqual(cases.slice(0, 1));
  });

  it('the first step loosens the tolerance of less than one element in a hundred', async () => {
    let elements = 0;
    let loosened = 0;
    for (const name of cases) {
      const { tensors } = readSafetensors(await folder.read(`${name}.safetensors`));
      const below = (prefix: string): State =>
        new Map(
          [...tensors].flatMap(([one, tensor]) =>
            one.startsWith(prefix) ? [[one.slice(prefix.length), tensor]] : [],
          ),
        );
      const allowance = new AdamAllowance();
      allowance.addStep(
        () => 1e-3,
        below('step0/grad/'),
        () => ({ terms: 1000 }),
      );
      for (const [parameter, { data }] of below('step0/state/')) {
        const allowed = allowance.of(parameter);
        if (allowed === undefined) continue; // a buffer
        const tolerance = 1e-6 * Math.max(...[...data].map((value) => Math.abs(Number(value))));
        elements += allowed.length;
        loosened += allowed.filter((value) => value > tolerance).length;
      }
    }
    expect(elements).toBeGreaterThan(20_000);
    expect(loosened / elements).toBeLessThan(0.01);
  });
});
