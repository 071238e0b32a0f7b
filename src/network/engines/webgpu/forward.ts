import type { NetworkSpec } from '../../spec.ts';
import type { NetworkBlock } from './blocks.ts';
import { hasParameters, type NeuronShape } from './kernels/current.ts';
import { fireKernel, type PoolShape, pooledPixels, poolKernel } from './kernels/fire.ts';
import {
  type FeatureShape,
  type FrameShape,
  features,
  frameValues,
  unpackFrames,
  type VoteShape,
} from './kernels/head.ts';
import { padded } from './kernels/kernel.ts';
import { type ProductShape, productByRows } from './kernels/products.ts';
import { feedBack } from './kernels/recurrence.ts';
import { frozenTable, normTable, statistics, statisticsParts, updateRunning } from './kernels/statistics.ts';
import type { ParameterMap } from './parameters.ts';
import type { Program, Space } from './program.ts';

/** What changes the passes of a batch, besides the network. */
export interface BatchKind {
  /** T of the neurons. */
  readonly steps: number;
  readonly type: FrameShape['type'];
  /** Undefined in evaluation. */
  readonly training:
    | {
        readonly loss: VoteShape['loss'];
        readonly regularise: 'w' | 'tau';
        /** λ of each spiking layer; those left out have none. */
        readonly lambdas: readonly number[];
        readonly tauRate: number;
      }
    | undefined;
}

/** A training step whose loss has no regulariser. */
export const plainTraining = { loss: 'rate', regularise: 'w', lambdas: [], tauRate: 1 } as const;

/** What all passes of a batch are added to, and need. */
export interface Building {
  readonly program: Program;
  readonly spec: NetworkSpec;
  readonly parameters: ParameterMap;
  readonly kind: BatchKind;
}

/** The spaces of a block that its backward pass reads. */
export interface Computed {
  readonly block: NetworkBlock;
  readonly shape: NeuronShape;
  /** Undefined where the product is recomputed. */
  readonly product: ProductShape | undefined;
  /** What the product reads: frames, spikes, pooled numbers or features. */
  readonly source: Space;
  readonly features: FeatureShape | undefined;
  /** The buffers of the neurons' current. */
  readonly current: Readonly<Record<string, Space>>;
  /** Of recurrent neurons, the spikes of the step before, like `spikes`. */
  readonly before: Space | undefined;
  readonly spikes: Space;
}

/** Activations are kept for the backward pass in training. */
function reserve({ program, kind }: Building, name: string, values: number): Space {
  return program.space(kind.training === undefined ? 'scratch' : 'kept', name, values);
}

/** Unpacks the frames, as the first block wants them. @returns where they are */
export function addFrames(building: Building, first: NetworkBlock): Space {
  const { program, spec, kind } = building;
  const [channels, height, width] = spec.input;
  const { product, isRecomputed, repeats } = first;
  const steps = repeats ? 1 : kind.steps;
  const shape: FrameShape = {
    ...{ steps, channels, height, width, type: kind.type },
    border: isRecomputed && product.kind === 'conv' ? product.padding : 0,
    outChannels: isRecomputed ? channels : padded(channels),
  };
  const bytes = { uint8: 1, uint16: 2, float32: 4 }[kind.type] * steps * channels * height * width;
  const frames = reserve(building, 'frames', frameValues(shape));
  program.add('slice', 'frames', unpackFrames(shape), {
    given: program.space('kept', 'given', Math.ceil(bytes / 4)),
    frames,
  });
  return frames;
}

/** Evaluation's batch norm: the running statistics as a table. */
export function addFrozenTable({ program, parameters }: Building, { norm }: NetworkBlock): void {
  if (norm === undefined) return;
  program.add('batch', norm.name, frozenTable(norm.channels, norm.epsilon), {
    running: parameters.space(`${norm.name}.running_mean`, 'running'),
    norm: parameters.space(`${norm.name}.weight`, 'values'),
    table: program.space('fixed', `${norm.name} table`, 4 * padded(norm.channels)),
  });
}

/** A block's product, batch norm, neurons and pool. @param given what the block before gives */
export function addForward(
  building: Building,
  block: NetworkBlock,
  given: Space,
): { readonly computed: Computed; readonly output: Space } {
  const { program, parameters, kind } = building;
  const { name, norm, neuron, fired } = block;
  const isTraining = kind.training !== undefined;
  const shape = neuronShape(block, kind);
  const values = fired.height * fired.width * padded(fired.channels);
  const { source, features } = addFeatures(building, block, given);
  const weight = parameters.space(`${name}.weight`, 'values');
  const product = block.isRecomputed ? undefined : productShape(block, shape.currentSteps);
  const current: Record<string, Space> = {};
  if (product === undefined) Object.assign(current, { frames: source, weight });
  else {
    const y = reserve(building, isTraining ? `${name} product` : 'product', shape.currentSteps * values);
    program.add('slice', name, productByRows(product, 'forward'), { source, weight, result: y });
    Object.assign(current, { y });
  }
  if (norm !== undefined) {
    const rows = isTraining ? shape.currentSteps : 1;
    const table = program.space('fixed', `${norm.name} table`, 4 * padded(norm.channels) * rows);
    if (isTraining) addStatistics(building, block, shape, current, table);
    Object.assign(current, { table });
  }
  const before = addFeedBack(building, block, shape, current);
  const spikes = reserve(building, isTraining ? `${name} spikes` : 'spikes', (kind.steps * values) / 32);
  program.add('slice', neuron.name, fireKernel(shape, neuron.neuron), {
    ...current,
    ...neuronSpace(parameters, block, 'values'),
    spikes,
    counts: program.space('kept', `${neuron.name} count`, 1),
  });
  const computed = { block, shape, product, source, features, current, before, spikes };
  return { computed, output: addPool(building, block, spikes) };
}

/** Adds to the current of recurrent neurons what they get from themselves. @returns the spikes of the step before each */
function addFeedBack(
  building: Building,
  { name, neuron, fired }: NetworkBlock,
  shape: NeuronShape,
  current: Readonly<Record<string, Space>>,
): Space | undefined {
  if (neuron.recurrent !== true) return undefined;
  const { program, parameters, kind } = building;
  const before = reserve(building, `${name} before`, (kind.steps * padded(fired.channels)) / 32);
  program.add('slice', neuron.name, feedBack(shape, neuron.neuron), {
    ...current,
    ...recurrentSpaces(parameters, neuron),
    before,
  });
  return before;
}

/** What kernels of recurrent neurons read: w and α, and the weights between them. */
export function recurrentSpaces(
  parameters: ParameterMap,
  neuron: NetworkBlock['neuron'],
): Record<string, Space> {
  return {
    ...neuronSpace(parameters, { neuron }, 'values'),
    recurrent: parameters.space(`${neuron.name}.recurrent.weight`, 'values'),
  };
}

function neuronShape(
  { product, input, fired, norm, repeats, isRecomputed }: NetworkBlock,
  kind: BatchKind,
): NeuronShape {
  const { channels, height, width } = fired;
  return {
    ...{ channels, height, width, steps: kind.steps, currentSteps: repeats ? 1 : kind.steps },
    norm: norm !== undefined,
    statistics: kind.training === undefined ? 'frozen' : 'by step',
    current:
      isRecomputed && product.kind === 'conv'
        ? {
            kind: 'first layer',
            inChannels: product.inChannels,
            kernel: product.kernel,
            frameHeight: input.height + 2 * product.padding,
            frameWidth: input.width + 2 * product.padding,
          }
        : { kind: 'stored' },
  };
}

function productShape({ input, product }: NetworkBlock, steps: number): ProductShape {
  if (product.kind === 'linear') {
    const [inChannels, outChannels] = [padded(product.inFeatures), padded(product.outFeatures)];
    return { inChannels, outChannels, kernel: 1, padding: 0, height: 1, width: 1, steps, input: 'dense' };
  }
  const { inChannels, outChannels, kernel, padding } = product;
  return {
    ...{ inChannels: padded(inChannels), outChannels: padded(outChannels), kernel, padding, steps },
    ...{ height: input.height, width: input.width, input: input.kind },
  };
}

/** Linear layers read features, convolutions what the block before gives. */
function addFeatures(
  building: Building,
  block: NetworkBlock,
  given: Space,
): { readonly source: Space; readonly features: FeatureShape | undefined } {
  const { product, input, mask, name } = block;
  if (product.kind === 'conv') return { source: given, features: undefined };
  const { kind, program } = building;
  const shape: FeatureShape = {
    ...{ steps: kind.steps, channels: input.channels, pixels: input.height * input.width, input: input.kind },
    masked: kind.training !== undefined && mask !== undefined,
  };
  const source = reserve(building, `${name} features`, shape.steps * padded(product.inFeatures));
  program.add('slice', name, features(shape), {
    source: given,
    ...maskSpace(program, block, shape),
    features: source,
  });
  return { source, features: shape };
}

export function maskSpace(
  program: Program,
  { mask, product }: NetworkBlock,
  { masked }: FeatureShape,
): Record<string, Space> {
  if (!masked || product.kind !== 'linear') return {};
  return { mask: program.space('kept', `mask ${mask}`, product.inFeatures) };
}

/** Batch norm's statistics, over all slices before the first spike. */
function addStatistics(
  { program, parameters }: Building,
  { norm }: NetworkBlock,
  shape: NeuronShape,
  current: Readonly<Record<string, Space>>,
  table: Space,
): void {
  if (norm === undefined) return;
  const cp = padded(norm.channels);
  const label = norm.name;
  const parts = program.space('fixed', 'statistics', 4 * shape.currentSteps * statisticsParts(shape) * cp);
  const observed = program.space('fixed', `${norm.name} observed`, 2 * shape.currentSteps * cp);
  program.add('slice', label, statistics(shape), { ...current, parts });
  program.add('batch', label, normTable(shape, norm.epsilon), {
    parts,
    norm: parameters.space(`${norm.name}.weight`, 'values'),
    table,
    observed,
  });
  program.add('batch', label, updateRunning(norm.channels, shape.currentSteps, norm.momentum), {
    observed,
    running: parameters.space(`${norm.name}.running_mean`, 'running'),
  });
}

/** w and α of a block's neurons, if they have any that are learned, in `values` or as gradients. */
export function neuronSpace(
  parameters: ParameterMap,
  { neuron }: Pick<NetworkBlock, 'neuron'>,
  arena: 'values' | 'gradients',
): Record<string, Space> {
  return hasParameters(neuron.neuron) ? { neuron: parameters.space(`${neuron.name}.w`, arena) } : {};
}

function addPool(building: Building, block: NetworkBlock, spikes: Space): Space {
  const shape = poolShape(block, building.kind.steps);
  if (shape === undefined) return spikes;
  const values = shape.steps * pooledPixels(shape) * padded(shape.channels);
  const pooled = reserve(building, `${block.name} pooled`, shape.mode === 'max' ? values / 32 : values);
  building.program.add('slice', block.name, poolKernel(shape), { spikes, pooled });
  return pooled;
}

export function poolShape({ fired, pool: pooling }: NetworkBlock, steps: number): PoolShape | undefined {
  if (pooling === undefined) return undefined;
  const { channels, height, width } = fired;
  return { channels, height, width, steps, mode: pooling.mode, size: pooling.size };
}
