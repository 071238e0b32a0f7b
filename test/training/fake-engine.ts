import type { State, Tensor } from '../../src/formats/tensor.ts';
import type {
  Engine,
  EngineSession,
  Forward,
  Frames,
  Hyperparameters,
  OptimiserState,
  TrainingBatch,
} from '../../src/network/engines/engine.ts';
import { type NetworkSpec, spikingLayers } from '../../src/network/spec.ts';

/** Hooks to observe or change each training step. */
export interface FakeEngineOptions {
  onStep?: (step: number, batch: TrainingBatch, hyperparameters: Hyperparameters) => void;
  onEvaluate?: (frames: Frames) => void;
  /** Replaces the step's loss. */
  loss?: (step: number) => number | undefined;
  /** Replaces the step's spike rates, one per spiking layer. */
  spikeRates?: (step: number) => number[];
  /** Replaces the rates of an evaluation: [N, classes]. */
  evaluationRates?: (frames: Frames) => Float32Array;
}

/**
 * An engine that learns nothing, but whose numbers depend on everything that a real engine's do: frames, labels,
 * masks, learning rate, every parameter, both moments and the step. They reveal a training that resumes incorrectly.
 */
export function fakeEngine(options: FakeEngineOptions = {}): Engine {
  return {
    description: { name: 'fake', backend: 'cpu', version: '1', reason: 'It is a test.' },
    open: async (spec, state, optimiser) => openSession(spec, state, optimiser, options),
    runNeurons: () => Promise.reject(new Error('the fake engine has no neurons')),
  };
}

function openSession(
  spec: NetworkSpec,
  initial: State,
  optimiser: OptimiserState | undefined,
  options: FakeEngineOptions,
): EngineSession {
  const state = copy(initial);
  let step = optimiser?.step ?? 0;
  const first = optimiser === undefined ? zeros(state) : copy(optimiser.first);
  const second = optimiser === undefined ? zeros(state) : copy(optimiser.second);
  const forward = (frames: Frames): Forward => {
    const [clips] = frames.shape;
    const length = frames.data.length / clips;
    const rates = Float32Array.from({ length: clips * spec.classes }, (_, i) => {
      const clip = Math.floor(i / spec.classes);
      const seed = sum(frames.data.subarray(clip * length, (clip + 1) * length)) + stateSum(state) + i;
      return (1 + Math.sin(seed)) / 2;
    });
    return {
      rates,
      outputs: rates,
      spikeRates: spikingLayers(spec).map((_, layer) => (1 + Math.sin(rates[0]! + layer)) / 2),
    };
  };
  return {
    async trainStep(batch, hyperparameters) {
      options.onStep?.(step, batch, hyperparameters);
      const { learningRate, regulariseTau } = hyperparameters;
      const result = forward(batch.frames);
      const seen =
        sum(batch.frames.data) + sum(batch.labels) + sum(batch.dropoutMasks.flatMap((mask) => [...mask]));
      step += 1;
      for (const [name, tensor] of state) {
        if (tensor.dtype === 'I64') {
          tensor.data[0]! += 1n;
          continue;
        }
        const [m, v] = [floats(first, name), floats(second, name)];
        for (let i = 0; i < tensor.data.length; i++) {
          const gradient = Math.sin(seen + i + tensor.data[i]! * 10 + sum([regulariseTau].flat()));
          m[i] = 0.9 * m[i]! + 0.1 * gradient;
          v[i] = 0.999 * v[i]! + 0.001 * gradient ** 2;
          tensor.data[i]! -= (learningRate * m[i]!) / (Math.sqrt(v[i]!) + 1e-8) / step;
        }
      }
      const loss = options.loss?.(step) ?? (1 + Math.sin(stateSum(state))) / 2;
      return { ...result, loss, spikeRates: options.spikeRates?.(step) ?? result.spikeRates };
    },
    async evaluate(frames) {
      options.onEvaluate?.(frames);
      const rates = options.evaluationRates?.(frames);
      if (rates === undefined) return forward(frames);
      return { rates, outputs: rates, spikeRates: spikingLayers(spec).map(() => 0) };
    },
    state: async () => copy(state),
    optimiserState: async () => ({ step, first: copy(first), second: copy(second) }),
    dispose() {},
  };
}

function floats(state: State, name: string): Float32Array {
  const tensor = state.get(name);
  if (tensor?.dtype !== 'F32') throw new Error(`no ${name}`);
  return tensor.data;
}

function copy(state: State): Map<string, Tensor> {
  return structuredClone(new Map(state));
}

function zeros(state: State): Map<string, Tensor> {
  const floats = [...copy(state)].filter(([, { dtype }]) => dtype === 'F32');
  for (const [, { data }] of floats) if (data instanceof Float32Array) data.fill(0);
  return new Map(floats);
}

function stateSum(state: State): number {
  return [...state.values()].reduce(
    (total, t) => total + (t.dtype === 'F32' ? sum(t.data) : Number(t.data[0])),
    0,
  );
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
