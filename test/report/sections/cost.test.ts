import { describe, expect, it } from 'vitest';
import type { Cost } from '../../../src/network/cost.ts';
import { answerCost, tabulateCost } from '../../../src/report/sections/cost.ts';
import { makeModelResult, makeResults, makeRunResult, plain, split, textsOf } from '../result-values.ts';

const COST: Cost = {
  footprintBytes: 2_000_000,
  activationSparsity: 0.95,
  denseOperations: 50_000_000,
  effectiveMacs: 4_000_000,
  effectiveAcs: 6_000_000,
};

/** A model with so many effective ACs in each run. */
function modelOf(title: string, per: string, acs: readonly (number | null)[], over: Partial<Cost> = {}) {
  const runs = acs.map((effectiveAcs, i) =>
    makeRunResult({
      seed: 2020 + i,
      network: { tau: { per, mean: 2, std: 0 } },
      test: split(per === 'layer' ? 90 : 91, 100),
      cost: { ...COST, effectiveAcs, ...over },
    }),
  );
  return makeModelResult({ id: title, title, runs });
}

const answer = (...models: ReturnType<typeof modelOf>[]) =>
  plain(answerCost(makeResults({ models, seeds: models[0]!.runs.map(({ seed }) => seed) })));
const neurons = { footprintBytes: 5_000_000 };

describe('the answer about cost', () => {
  it('compares the models with one τ per neuron with the first, without a verdict for a single seed', () => {
    // 4 + 6 million operations become 4 + 5: a tenth fewer.
    expect(answer(modelOf('A', 'layer', [6e6]), modelOf('B', 'neuron', [5e6], neurons))).toBe(
      'One τ per neuron takes 2.5 times the memory of one per layer. Effective operations beside A: B 10.0 % fewer (accuracy +1.0 points). One seed does not tell whether that is chance.',
    );
  });

  it('tests the relative changes of several seeds', () => {
    const baseline = modelOf('A', 'layer', [6e6, 6e6, 6e6]);
    // −11, −10 and −9 %: t = −10 / (1 / √3) with 2 degrees of freedom, p = 0.003.
    expect(answer(baseline, modelOf('B', 'neuron', [4.9e6, 5e6, 5.1e6], neurons))).toBe(
      'One τ per neuron takes 2.5 times the memory of one per layer; it changes the number of synaptic operations. Effective operations beside A: B 10.0 % fewer, p = 0.003 (accuracy +1.0 points). p: paired t test over three seeds, Holm-corrected.',
    );
    // −10, 0 and +20 %.
    expect(answer(baseline, modelOf('B', 'neuron', [5e6, 6e6, 8e6], neurons))).toMatch(
      /layer; it does not clearly change the number .* B 3\.3 % more, p = 0\.\d+ \(accuracy \+1\.0 points\)/,
    );
  });

  it('leaves out networks of another size, which cost more or less for that reason alone', () => {
    const larger = { ...neurons, denseOperations: 90_000_000 };
    const models = [modelOf('A', 'layer', [6e6]), modelOf('B', 'neuron', [5e6], neurons)];
    expect(answer(...models, modelOf('C', 'neuron', [9e6], larger))).toBe(answer(...models));
    expect(answer(models[0]!, modelOf('C', 'neuron', [9e6], larger))).toBe('');
  });
});

describe('the table of costs', () => {
  it('has means over the seeds, and a dash where an engine did not count', () => {
    const models = [modelOf('A', 'layer', [6e6, 7e6]), modelOf('B', 'layer', [null, 5e6])];
    const table = tabulateCost(makeResults({ models, seeds: [2020, 2021] }));
    expect(textsOf(table)).toEqual([
      ['A', '90.0 %', '2.0 MB', '95.0 %', '50', '4', '6.5'],
      ['B', '90.0 %', '2.0 MB', '95.0 %', '50', '4', '–'],
    ]);
    expect(table.notes.map(plain).join(' ')).toMatch(/means over two seeds.*–: not measured by webgpu\.$/);
  });
});
