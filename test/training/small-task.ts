import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { buildNetwork, type NetworkConfig } from '../../src/network/networks.ts';
import type { NetworkSpec } from '../../src/network/spec.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import { formatMetrics } from '../../src/results/metrics.ts';
import { encodeTraining } from '../../src/results/tensorboard.ts';
import type { TrainingOutcome, TrainingTask } from '../../src/training/loop.ts';
import { splitClips } from '../../src/training/training-clips.ts';
import { memorySource } from '../support/memory-source.ts';
import { thesisNetwork } from '../support/thesis-network.ts';
import { type FakeEngineOptions, fakeEngine } from './fake-engine.ts';

export const smallNetwork: NetworkConfig = {
  ...thesisNetwork,
  input: [2, 4, 4],
  classes: 3,
  channels: 2,
  layers: 1,
  tau: { per: 'neuron', mean: 2, std: 0.1 },
  votes: 2,
};

/** 30 training clips in 3 classes (24 to train on, 6 held back), 7 test clips; 4 batches of 5 per epoch, 4 clips left over. */
export function smallTask(options: FakeEngineOptions = {}, over: Partial<TrainingTask> = {}): TrainingTask {
  const random = new TorchRandom(1);
  const clips = (count: number) => ({
    source: memorySource(
      Uint8Array.from({ length: count * 2 * 2 * 4 * 4 }, () => Math.floor(random.uniform() * 4)),
      count,
      [2, 2, 4, 4],
    ),
    labels: Int32Array.from({ length: count }, (_, row) => row % 3),
  });
  const train = clips(30);
  return {
    engine: fakeEngine(options),
    spec: buildNetwork(smallNetwork),
    seed: 2020,
    settings: {
      epochs: 4,
      batchSize: 5,
      learningRate: 1e-3,
      cosineHalfPeriod: 64,
      validationShare: 0.2,
      testEvery: 1,
      regulariseTau: 0.1,
    },
    train,
    test: clips(7),
    testRows: Int32Array.of(0, 1, 2, 3, 4, 5, 6),
    split: splitClips(train.labels, 3, 0.2),
    ...over,
  };
}

/** A training's outputs as text: equal if and only if the files are. */
export function outputsOf(
  outcome: TrainingOutcome,
  spec: NetworkSpec = buildNetwork(smallNetwork),
): Record<string, string> {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    'metrics.csv': formatMetrics(outcome.rows),
    'events.out.tfevents': hex(encodeTraining(spec, outcome.rows, ({ epoch }) => epoch)),
    // Single precision in the event file might hide a difference.
    rows: JSON.stringify(outcome.rows),
    'best.safetensors': `${outcome.best.epoch} ${hex(writeSafetensors(outcome.best.state))}`,
    'last.safetensors': hex(writeSafetensors(outcome.last)),
  };
}
