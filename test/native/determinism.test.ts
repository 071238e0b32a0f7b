import process from 'node:process';
import { describe, expect, test } from 'vitest';
import type { State } from '../../src/formats/tensor.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { mnistNetwork } from '../support/still-networks.ts';
import { thesisNetwork } from '../support/thesis-network.ts';
import { instructionSets, isAvailable, livelyState, nativeEngine, randomBatch } from './support.ts';

const specs = {
  'event frames, τ per neuron': buildNetwork({
    ...thesisNetwork,
    input: [2, 37, 30],
    channels: 24,
    layers: 3,
    tau: { per: 'neuron', mean: 2, std: 0.2 },
    surrogate: { kind: 'atan', alpha: 2, learnable: true },
    hidden: 40,
  }),
  'event frames, τ per channel': buildNetwork({
    ...thesisNetwork,
    input: [2, 21, 26],
    channels: 70,
    layers: 2,
    tau: { per: 'channel', mean: 2, std: 0.2 },
    hidden: 40,
  }),
  'event frames, τ per layer, averages': buildNetwork({
    ...thesisNetwork,
    input: [2, 21, 26],
    channels: 32,
    layers: 2,
    pooling: 'average',
    hidden: 33,
  }),
  'counts of events into linear layers': buildNetwork({
    ...thesisNetwork,
    input: [2, 7, 5],
    layers: 0,
    tau: { per: 'neuron', mean: 2, std: 0.2 },
    hidden: [40, 24],
  }),
  'still images': buildNetwork({ ...mnistNetwork, channels: 12, hidden: 50, steps: 4 }),
};

/** Everything after three steps of different densities and an evaluation, as bytes. */
async function trainBriefly(
  spec: (typeof specs)[keyof typeof specs],
  instructionSet: string,
  threads: number,
): Promise<Buffer[]> {
  const session = await nativeEngine(instructionSet, threads).open(spec, livelyState(spec));
  const bytes: Buffer[] = [];
  const keep = (data: ArrayBufferView): void => {
    bytes.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  };
  const keepState = (state: State): void => {
    for (const { data } of state.values()) keep(data);
  };
  try {
    for (const [i, density] of [0.05, 0.4, 0.9].entries()) {
      const { loss, rates, spikeRates } = await session.trainStep(
        randomBatch(spec, { density, seed: i, samples: 4 }),
        { learningRate: 0.01, tauRate: 3, regulariseTau: 0.1 },
      );
      keep(Float64Array.of(loss, ...spikeRates));
      keep(rates);
    }
    const evaluated = await session.evaluate(randomBatch(spec, { samples: 5 }).frames);
    keep(evaluated.rates);
    keep(Float64Array.from(evaluated.operations ?? []));
    keepState(await session.state());
    const { first, second } = await session.optimiserState();
    keepState(first);
    keepState(second);
  } finally {
    session.dispose();
  }
  return bytes;
}

describe.skipIf(!isAvailable).each(instructionSets)('the native engine on %s', (instructionSet) => {
  test.each(Object.entries(specs))(
    'gives the same bits for 1, 2, 3, 16 and 64 threads: %s',
    async (_, spec) => {
      const wanted = await trainBriefly(spec, instructionSet, 1);
      for (const threads of [2, 3, 16, 64]) {
        const actual = await trainBriefly(spec, instructionSet, threads);
        expect(actual.length).toBe(wanted.length);
        const different = actual.findIndex((bytes, i) => !bytes.equals(wanted[i] as Buffer));
        expect(different, `${threads} threads`).toBe(-1);
      }
    },
  );
});

test.skipIf(!isAvailable || process.arch !== 'x64').each(Object.entries(specs))(
  'WebAssembly gives the bits of the native engine without vector extensions: %s',
  async (_, spec) => {
    const [wanted, actual] = [await trainBriefly(spec, 'baseline', 1), await trainBriefly(spec, 'wasm', 1)];
    expect(actual.every((bytes, i) => bytes.equals(wanted[i] as Buffer))).toBe(true);
  },
);
