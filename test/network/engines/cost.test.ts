import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it, test } from 'vitest';
import { buildDescribed, networkShape } from '../../../src/exchange/parity/network.ts';
import { type Cost, listSynapses, measureCost } from '../../../src/network/cost.ts';
import type { Engine } from '../../../src/network/engines/engine.ts';
import { createCpuEngine } from '../../../src/network/engines/tfjs/engine.ts';
import { allSets, nativeEngine } from '../../native/support.ts';
import { loadGolden } from '../../support/golden.ts';

/** What plain PyTorch counted: test/golden/torch/make_costs.py. */
const expected: Record<string, Cost & { samples: number; operations: number[] }> = JSON.parse(
  readFileSync(new URL('../../golden/torch/costs.json', import.meta.url), 'utf8'),
);
const engines: readonly (readonly [string, Engine])[] = [
  ['tfjs', createCpuEngine('test')],
  ...allSets.map((set) => [set, nativeEngine(set)] as const),
];

describe.each(engines)('an evaluation by %s', (_, engine) => {
  it.each(Object.keys(expected))(
    'counts the synaptic operations of %s as plain PyTorch does',
    async (name) => {
      const { samples, operations, ...cost } = expected[name]!;
      const golden = loadGolden(`torch/${name}`);
      const description = v.parse(networkShape, golden.description);
      const spec = buildDescribed(description, undefined);
      const [, , steps = 0, ...size] = golden.float('x').shape;
      const length = samples * steps * size.reduce((product, one) => product * one);
      const session = await engine.open(spec, golden.below('step2/state/'));
      const forward = await session.evaluate({
        shape: [samples, steps, ...(size as [number, number, number])],
        data: golden.float('x').data.slice(0, length),
      });
      session.dispose();
      expect(forward.operations).toEqual(operations);
      const { activationSparsity, ...counts } = measureCost(spec, description.T, {
        samples,
        operations: forward.operations,
        spikeRates: forward.spikeRates,
      });
      const { activationSparsity: expectedSparsity, ...expectedCounts } = cost;
      expect(counts).toEqual(expectedCounts);
      expect(activationSparsity).toBeCloseTo(expectedSparsity, 6);
    },
  );
});

test('an input at the border of an image has fewer synapses: those of a corner, an edge and the middle', () => {
  const conv = { kind: 'conv', name: 'c', inChannels: 1, outChannels: 2, kernel: 3, padding: 1 } as const;
  const [synapses] = listSynapses({ input: [1, 3, 3], classes: 2, layers: [conv] });
  expect(synapses?.fanOuts).toEqual([8, 12, 8, 12, 18, 12, 8, 12, 8]);
});

test('an engine that does not count leaves the effective operations unknown, and nothing else', () => {
  const golden = loadGolden('torch/net_step_loss');
  const spec = buildDescribed(v.parse(networkShape, golden.description), undefined);
  const counted = { samples: 3, operations: undefined, spikeRates: [0, 0, 0, 0] };
  expect(measureCost(spec, 4, counted)).toEqual({
    footprintBytes: expected.net_step_loss?.footprintBytes,
    activationSparsity: 1,
    denseOperations: expected.net_step_loss?.denseOperations,
    effectiveMacs: null,
    effectiveAcs: null,
  });
});
