import { countElements } from '../formats/tensor.ts';
import { type LayerOf, type NetworkSpec, outputShapes, spikingLayers, stateEntries } from './spec.ts';

/** A convolution, linear layer or recurrence, as NeuroBench counts its operations. */
export interface Synapses {
  /** Of its input. */
  readonly channels: number;
  /** For each pixel of its input, row by row: the synapses of one value there. Zeros of the padding do not count as inputs. */
  readonly fanOuts: readonly number[];
  /** Whether its inputs are spikes, so that an operation only adds a weight (AC); otherwise it multiplies first (MAC). */
  readonly takesSpikes: boolean;
  /** Whether it runs once for a still image, instead of at each step. */
  readonly runsOnce: boolean;
}

/** The convolutions, linear layers and recurrences, in the order of the network. */
export function listSynapses(spec: NetworkSpec): Synapses[] {
  const shapes = [spec.input, ...outputShapes(spec)];
  const repetition = spec.layers.findIndex(({ kind }) => kind === 'repeat');
  let takesSpikes = false;
  return spec.layers.flatMap((layer, i): Synapses[] => {
    const [channels = 1, height = 1, width = 1] = shapes[i] ?? [];
    if (layer.kind === 'neuron') {
      takesSpikes = true;
      return layer.recurrent === true
        ? [{ channels, fanOuts: [channels], takesSpikes, runsOnce: false }]
        : [];
    }
    if (layer.kind === 'batch-norm' || (layer.kind === 'pool' && layer.mode === 'average'))
      takesSpikes = false;
    if (layer.kind !== 'conv' && layer.kind !== 'linear') return [];
    const [rows, columns] = [height, width].map((size) => listReach(layer, size)) as [number[], number[]];
    const outputs = layer.kind === 'conv' ? layer.outChannels : layer.outFeatures;
    const fanOuts = rows.flatMap((row) => columns.map((column) => outputs * row * column));
    const found = { channels, fanOuts, takesSpikes, runsOnce: i < repetition };
    takesSpikes = false;
    return [found];
  });
}

/** For each place of a row or column of an input: how many outputs, along it, the place is part of. */
function listReach(layer: LayerOf<'conv'> | LayerOf<'linear'>, size: number): number[] {
  if (layer.kind === 'linear') return [1];
  const { kernel, padding } = layer;
  const last = size + 2 * padding - kernel;
  return Array.from(
    { length: size },
    (_, at) => Math.min(at + padding, last) - Math.max(at + padding - kernel + 1, 0) + 1,
  );
}

/** What an evaluation of some samples counted. */
interface Counted {
  readonly samples: number;
  /** Effective operations over all samples, one number for each of `listSynapses`; undefined if the engine does not count. */
  readonly operations: readonly number[] | undefined;
  /** One number per spiking layer. */
  readonly spikeRates: readonly number[];
}

/** What a network costs, by NeuroBench's definitions (docs/cost.md). Operations are per sample, over all its time steps. */
export interface Cost {
  /** Bytes of all parameters and buffers. */
  readonly footprintBytes: number;
  /** The share of neurons and steps without a spike, before pooling. */
  readonly activationSparsity: number;
  /** Synaptic operations if every input counted. */
  readonly denseOperations: number;
  /** Of these, those whose input is neither 0 nor a spike; null if the engine does not count. */
  readonly effectiveMacs: number | null;
  /** Of these, those with a spike as input; null if the engine does not count. */
  readonly effectiveAcs: number | null;
}

/**
 * @param steps T
 * @see Yik et al. 2025, The neurobench framework for benchmarking neuromorphic computing algorithms and systems
 */
export function measureCost(
  spec: NetworkSpec,
  steps: number,
  { samples, operations, spikeRates }: Counted,
): Cost {
  const synapses = listSynapses(spec);
  const neurons = spikingLayers(spec).map(({ shape }) => countElements(shape));
  const spikes = neurons.map((count, layer) => count * (spikeRates[layer] ?? 0));
  const effective = (spiking: boolean) =>
    operations === undefined
      ? null
      : sum(operations.filter((_, i) => synapses[i]?.takesSpikes === spiking)) / samples;
  return {
    footprintBytes: sum(
      stateEntries(spec).map(({ shape, dtype }) => countElements(shape) * (dtype === 'I64' ? 8 : 4)),
    ),
    activationSparsity: 1 - sum(spikes) / sum(neurons),
    denseOperations: countDenseOperations(spec, steps),
    effectiveMacs: effective(false),
    effectiveAcs: effective(true),
  };
}

/** Synaptic operations of a sample forward, if every input counted; a training step takes three times as many. @param steps T */
export function countDenseOperations(spec: NetworkSpec, steps: number): number {
  return sum(
    listSynapses(spec).map(
      ({ channels, fanOuts, runsOnce }) => channels * sum(fanOuts) * (runsOnce ? 1 : steps),
    ),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
