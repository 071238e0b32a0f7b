import type { Baseline, RunFacts } from '../../../src/report/baseline/baseline.ts';

/** A run of two layers over eight epochs that got 90 of 100 test clips right. */
export function exampleRun(over: Partial<RunFacts> = {}): RunFacts {
  return {
    model: 'no-reg',
    seed: 2020,
    engine: 'native 0123456789ab avx2 GCC 12.4.0',
    evaluationEngine: 'native 0123456789ab avx2 GCC 12.4.0',
    settings: { parameters: 1000, 'training.learningRate': 0.005, 'network.input': [2, 32, 32] },
    epochs: 8,
    chosenEpoch: 7,
    preferredEpoch: 7,
    rightInTraining: (over.test?.clips ?? 100) - (over.test?.wrong.length ?? 10),
    neuronSteps: [1_000_000, 10_000],
    firstBatches: [1, 2, 4, 8].map((batch) => ({ batch, loss: 0.09, spikeRates: [0.1, 0.02] })),
    trainLosses: [0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.01],
    layers: [1, 2, 4, 8].map((epoch) => ({
      epoch,
      learningRate: 0.005,
      spikeRates: [0.1, 0.02],
      tauMeans: [2, 1.9],
      tauStds: [0.1, 0.12],
    })),
    test: {
      clips: 100,
      list: 'a'.repeat(64),
      wrong: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      correctByStep: [40, 90],
      cost: { effectiveAcs: 100 },
    },
    ...over,
  };
}

export function exampleBaseline(over: Partial<Baseline> = {}): Baseline {
  return {
    profile: 'quick',
    dataset: 'dvs128-gesture',
    simulated: true,
    frames: {
      train: { sha256: '1'.repeat(64), list: '3'.repeat(64), clips: 400, events: { off: 1000, on: 2000 } },
      test: { sha256: '2'.repeat(64), list: 'a'.repeat(64), clips: 100, events: { off: 300, on: 500 } },
    },
    runs: [exampleRun()],
    claims: { 'no-difference': 'inconclusive', spread: 'reproduced' },
    ...over,
  };
}
