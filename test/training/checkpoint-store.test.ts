import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import type { Checkpoint } from '../../src/training/checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/training/checkpoint-store.ts';
import { smallNetwork } from './small-task.ts';

const state = (seed: number) => initialState(buildNetwork(smallNetwork), seed);
const fresh: Checkpoint = {
  key: 'abc',
  epoch: 0,
  batch: 0,
  sums: { loss: 0, correct: 0, spikeRates: [0, 0, 0], logged: [], first: [] },
  logits: new Map(),
  random: new TorchRandom(1).state(),
  parameters: state(1),
  optimiser: undefined,
  rows: [],
  best: undefined,
};

describe('a checkpoint', () => {
  it('survives encoding before the first step', () => {
    expect(decodeCheckpoint(encodeCheckpoint(fresh), 'x')).toEqual(fresh);
  });

  it('survives encoding in the middle of a training', () => {
    const random = new TorchRandom(1);
    random.normals(3); // leaves the second of a pair of normal numbers to come
    const checkpoint: Checkpoint = {
      ...fresh,
      epoch: 3,
      batch: 2,
      sums: {
        loss: 0.1 + 0.2,
        correct: 7,
        spikeRates: [1 / 3, 0.25, 0],
        logged: [{ step: 256, loss: 1 / 7, accuracy: 0.5 }],
        first: [{ loss: 1 / 9, spikeRates: [0.1, 0, 1] }],
      },
      logits: state(5),
      random: random.state(),
      optimiser: { step: 14, first: state(2), second: state(3) },
      rows: [
        {
          epoch: 2,
          learningRate: 0.001,
          train: { loss: 0.1, accuracy: 0.5 },
          validation: { loss: 0.2, accuracy: 0.25 },
          test: null,
          layers: [{ wMean: 0, wStd: 0.5, tauMean: 2, tauStd: 1, tauChange: 0.25, spikeRate: 0.1 }],
          batches: 3,
          logged: [{ step: 0, loss: 1 / 3, accuracy: 0.25 }],
          first: [{ loss: 1 / 3, spikeRates: [0.2] }],
        },
      ],
      best: { epoch: 2, validationAccuracy: 0.25, testAccuracy: null, state: state(4) },
    };
    expect(checkpoint.random.spareNormal).toBeDefined();
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint), 'x')).toEqual(checkpoint);
  });

  it('of another version is rejected, even if undamaged', () => {
    const bytes = Buffer.from(encodeCheckpoint(fresh));
    bytes.write('1', bytes.indexOf('version\\":7,') + 'version\\":'.length, 'latin1');
    createHash('sha256').update(bytes.subarray(32)).digest().copy(bytes);
    expect(() => decodeCheckpoint(bytes, 'x')).toThrow(
      'This checkpoint cannot be used: it has another version.',
    );
  });
});
