import type { NetworkSpec } from '../../snn/spec.ts';
import { type Block, divideIntoBlocks, type Flow } from './blocks.ts';
import { hasParameters, type NeuronShape } from './kernels/current.ts';
import { fire, fireGroups, type PoolShape, pool, pooledPixels, poolGroups } from './kernels/fire.ts';
import {
  type BackwardPass,
  backwardGroups,
  backwardParts,
  fireBackward,
  sumRows,
} from './kernels/fire-backward.ts';
import {
  type FeatureShape,
  type FrameShape,
  featureGradient,
  featureGradientGroups,
  featureGroups,
  features,
  frameValues,
  lossGradient,
  lossGroups,
  unpackFrames,
  type VoteShape,
  vote,
  voteGroups,
} from './kernels/head.ts';
import { padded } from './kernels/kernel.ts';
import { adam, layerGradients, tauVariance, VARIANCE_GROUPS } from './kernels/parameters.ts';
import {
  outHeight,
  outWidth,
  type ProductShape,
  productByRows,
  productOfWeights,
  rowGroups,
  weightGroups,
  weightSplits,
} from './kernels/products.ts';
import { reduceGroups, reduceParts } from './kernels/reduce.ts';
import {
  frozenTable,
  normTable,
  normTableGroups,
  statistics,
  statisticsGroups,
  statisticsParts,
  updateRunning,
} from './kernels/statistics.ts';
import { ParameterMap } from './parameters.ts';
import { Program, type Space } from './program.ts';

/** What changes the passes of a batch, besides the network. */
export interface BatchKind {
  /** T of the neurons, and the steps of the frames: 1 for a still image. */
  readonly steps: number;
  readonly frameSteps: number;
  readonly type: FrameShape['type'];
  /** Undefined in evaluation. */
  readonly training:
    | { readonly loss: VoteShape['loss']; readonly regularise: 'w' | 'tau'; readonly isRegularised: boolean }
    | undefined;
}

/** A first convolution with at most so many weights for each channel is computed wherever it is needed; a thread can hold them. */
const mostHeldWeights = 32;

/** A network's blocks and parameters on a GPU, and the programs that compute its batches. */
export class NetworkPlan {
  readonly blocks: readonly Block[];
  readonly parameters: ParameterMap;
  readonly #spec: NetworkSpec;
  readonly #group: number;

  /** @throws {ShapeError} if the layers come in an order that this engine does not compute */
  constructor(spec: NetworkSpec) {
    this.#spec = spec;
    const { blocks, group } = divideIntoBlocks(spec);
    this.blocks = blocks;
    this.#group = group;
    this.parameters = new ParameterMap(spec, blocks, isRecomputed);
  }

  program(kind: BatchKind): Program {
    return new Builder(this.#spec, this.blocks, this.#group, this.parameters, kind).build();
  }
}

/** Whether a block's product is computed wherever it is needed, rather than stored. */
function isRecomputed({ input, product, repeats }: Block): boolean {
  // Only frames are dense and have as few channels.
  return (
    product.kind === 'conv' &&
    input.kind === 'dense' &&
    !repeats &&
    product.kernel ** 2 * product.inChannels <= mostHeldWeights
  );
}

/** The spaces of a block that its backward pass reads. */
interface Computed {
  readonly block: Block;
  readonly shape: NeuronShape;
  /** Undefined where the first layer is recomputed. */
  readonly product: ProductShape | undefined;
  /** What the product reads: frames, spikes, pooled numbers or features. */
  readonly source: Space;
  readonly features: FeatureShape | undefined;
  readonly current: Readonly<Record<string, Space>>;
  readonly spikes: Space;
}

class Builder {
  readonly #program = new Program();
  readonly #spec: NetworkSpec;
  readonly #blocks: readonly Block[];
  readonly #group: number;
  readonly #parameters: ParameterMap;
  readonly #kind: BatchKind;

  constructor(
    spec: NetworkSpec,
    blocks: readonly Block[],
    group: number,
    parameters: ParameterMap,
    kind: BatchKind,
  ) {
    this.#spec = spec;
    this.#blocks = blocks;
    this.#group = group;
    this.#parameters = parameters;
    this.#kind = kind;
  }

  build(): Program {
    const { training } = this.#kind;
    if (training === undefined) for (const block of this.#blocks) this.#freeze(block);
    const computed: Computed[] = [];
    let source = this.#frames();
    for (const block of this.#blocks) {
      const result = this.#forward(block, source);
      computed.push(result.computed);
      source = result.output;
    }
    this.#votes(source);
    if (training !== undefined) {
      const after = this.#loss(training.loss);
      computed.reduceRight<Space>((gradient, one, i) => this.#backward(one, gradient, i), after);
      this.#update(training);
    }
    return this.#program;
  }

  /** A space of activations: kept for the backward pass in training. */
  #activations(name: string, values: number): Space {
    return this.#program.space(this.#kind.training === undefined ? 'scratch' : 'kept', name, values);
  }

  #frames(): Space {
    const { input } = this.#spec;
    const [first] = this.#blocks;
    const [channels, height, width] = input;
    const shape: FrameShape = {
      steps: this.#kind.frameSteps,
      channels,
      height,
      width,
      border:
        first !== undefined && isRecomputed(first) && first.product.kind === 'conv'
          ? first.product.padding
          : 0,
      outChannels: first !== undefined && isRecomputed(first) ? channels : padded(channels),
      type: this.#kind.type,
    };
    const bytes = { uint8: 1, uint16: 2, float32: 4 }[shape.type];
    const given = this.#program.space(
      'kept',
      'given',
      Math.ceil((bytes * shape.steps * channels * height * width) / 4),
    );
    const frames = this.#activations('frames', frameValues(shape));
    this.#program.add('slice', {
      kernel: unpackFrames(shape),
      label: 'frames',
      buffers: { given, frames },
      groups: (samples) => Math.ceil((samples * frameValues(shape)) / 256),
    });
    return frames;
  }

  #freeze({ norm }: Block): void {
    if (norm === undefined) return;
    this.#program.add('batch', {
      kernel: frozenTable(norm.channels, norm.epsilon),
      label: norm.name,
      buffers: {
        running: this.#parameters.space(`${norm.name}.running_mean`, 'running'),
        norm: this.#parameters.space(`${norm.name}.weight`, 'values'),
        table: this.#program.space('fixed', `${norm.name} table`, 4 * padded(norm.channels)),
      },
      groups: () => padded(norm.channels) / 32,
    });
  }

  #forward(block: Block, given: Space): { computed: Computed; output: Space } {
    const { name, product, norm, repeats, neuron, fired, pool: pooling } = block;
    const { steps, training } = this.#kind;
    const program = this.#program;
    const currentSteps = repeats ? 1 : steps;
    const cp = padded(fired.channels);
    const pixels = fired.height * fired.width;
    const recomputed = isRecomputed(block);
    const { source, features } = this.#source(block, given);
    const shape: NeuronShape = {
      ...{ channels: fired.channels, height: fired.height, width: fired.width, steps, currentSteps },
      norm: norm !== undefined,
      statistics: training === undefined ? 'frozen' : 'by step',
      current:
        recomputed && product.kind === 'conv'
          ? {
              kind: 'first layer',
              inChannels: product.inChannels,
              kernel: product.kernel,
              frameHeight: block.input.height + 2 * product.padding,
              frameWidth: block.input.width + 2 * product.padding,
            }
          : { kind: 'stored' },
    };
    const weight = this.#parameters.space(`${name}.weight`, 'values');
    const productShape = recomputed ? undefined : productShapeOf(block, currentSteps, features);
    const y =
      productShape && this.#activations(training ? `${name} product` : 'product', currentSteps * pixels * cp);
    if (productShape !== undefined && y !== undefined) {
      program.add('slice', {
        kernel: productByRows(productShape, 'forward'),
        label: name,
        buffers: { source, weight, result: y },
        groups: rowGroups(productShape, 'forward'),
        flop: flopOf(productShape),
      });
    }
    const current: Record<string, Space> = y === undefined ? { frames: source, weight } : { y };
    if (norm !== undefined) {
      const table = program.space('fixed', `${norm.name} table`, 4 * cp * (training ? currentSteps : 1));
      if (training !== undefined) this.#normalise(block, shape, current, table);
      current.table = table;
    }
    const spikes = this.#activations(training ? `${name} spikes` : 'spikes', (steps * pixels * cp) / 32);
    program.add('slice', {
      kernel: fire(shape, neuron.neuron),
      label: neuron.name,
      buffers: {
        ...current,
        ...this.#neuron(block, 'values'),
        spikes,
        counts: program.space('kept', `${neuron.name} count`, 1),
      },
      groups: fireGroups(shape),
    });
    const computed = { block, shape, product: productShape, source, features, current, spikes };
    if (pooling === undefined) return { computed, output: spikes };
    const poolShape = poolOf(block, steps) as PoolShape;
    const pooledValues = (steps * pooledPixels(poolShape) * cp) / (poolShape.mode === 'max' ? 32 : 1);
    const pooled = this.#activations(`${name} pooled`, pooledValues);
    program.add('slice', {
      kernel: pool(poolShape),
      label: name,
      buffers: { spikes, pooled },
      groups: poolGroups(poolShape),
    });
    return { computed, output: pooled };
  }

  /** What a block's product reads: linear layers get features, all others what the layer before gives. */
  #source(block: Block, given: Space): { source: Space; features: FeatureShape | undefined } {
    const { product, input, mask, name } = block;
    if (product.kind === 'conv') return { source: given, features: undefined };
    const masked = this.#kind.training !== undefined && mask !== undefined;
    const shape: FeatureShape = {
      steps: this.#kind.steps,
      channels: input.channels,
      pixels: input.height * input.width,
      input: input.kind,
      masked,
    };
    const source = this.#activations(`${name} features`, shape.steps * padded(product.inFeatures));
    this.#program.add('slice', {
      kernel: features(shape),
      label: name,
      buffers: { source: given, ...this.#mask(block, masked), features: source },
      groups: featureGroups(shape),
    });
    return { source, features: shape };
  }

  #mask({ mask, product }: Block, masked: boolean): Record<string, Space> {
    if (!masked || product.kind !== 'linear') return {};
    return { mask: this.#program.space('kept', `mask ${mask}`, product.inFeatures) };
  }

  /** Batch norm's statistics of this batch, for all slices before the first spike. */
  #normalise({ norm }: Block, shape: NeuronShape, current: Record<string, Space>, table: Space): void {
    if (norm === undefined) return;
    const cp = padded(norm.channels);
    const program = this.#program;
    const parts = program.space('fixed', 'statistics', 4 * shape.currentSteps * statisticsParts(shape) * cp);
    const observed = program.space('fixed', `${norm.name} observed`, 2 * shape.currentSteps * cp);
    program.add('slice', {
      kernel: statistics(shape),
      label: norm.name,
      buffers: { ...current, parts },
      groups: () => statisticsGroups(shape),
    });
    program.add('batch', {
      kernel: normTable(shape, norm.epsilon),
      label: norm.name,
      buffers: { parts, norm: this.#parameters.space(`${norm.name}.weight`, 'values'), table, observed },
      groups: () => normTableGroups(shape),
    });
    program.add('batch', {
      kernel: updateRunning(norm.channels, shape.currentSteps, norm.momentum),
      label: norm.name,
      buffers: { observed, running: this.#parameters.space(`${norm.name}.running_mean`, 'running') },
      groups: () => cp / 32,
    });
  }

  #neuron({ neuron }: Block, arena: 'values' | 'gradients'): Record<string, Space> {
    return hasParameters(neuron.neuron) ? { neuron: this.#parameters.space(`${neuron.name}.w`, arena) } : {};
  }

  #voteShape(loss: VoteShape['loss'] = 'rate'): VoteShape {
    return { steps: this.#kind.steps, classes: this.#spec.classes, group: this.#group, loss };
  }

  #votes(spikes: Space): void {
    const shape = this.#voteShape();
    this.#program.add('slice', {
      kernel: vote(shape),
      label: 'vote',
      buffers: {
        spikes,
        outputs: this.#program.space('kept', 'outputs', shape.steps * shape.classes),
        rates: this.#program.space('kept', 'rates', shape.classes),
      },
      groups: voteGroups(shape),
    });
  }

  #loss(loss: VoteShape['loss']): Space {
    const shape = this.#voteShape(loss);
    const scores = loss === 'rate' ? shape.classes : shape.steps * shape.classes;
    const result = this.#gradientSpace(
      this.#blocks.length,
      shape.steps * padded(shape.classes * shape.group),
    );
    this.#program.add('slice', {
      kernel: lossGradient(shape),
      label: 'loss',
      buffers: {
        scores: this.#program.space('kept', loss === 'rate' ? 'rates' : 'outputs', scores),
        labels: this.#program.space('kept', 'labels', 1),
        result,
      },
      groups: lossGroups(shape),
    });
    return result;
  }

  /** Gradients of one layer's input are written while those of the next are read: two spaces take turns. */
  #gradientSpace(block: number, values: number): Space {
    return this.#program.space('kept', `gradient ${block % 2}`, values);
  }

  /** @param after the gradient of the block's output. @returns that of its input */
  #backward(computed: Computed, after: Space, index: number): Space {
    const { block, shape } = computed;
    const cp = padded(block.fired.channels);
    const rows = sumRows(shape);
    const program = this.#program;
    const parts = program.space('fixed', 'sum parts', backwardParts(shape) * rows * cp);
    const sums = program.space('fixed', `${block.name} sums`, rows * cp);
    const places = {
      ...computed.current,
      ...this.#neuron(block, 'values'),
      spikes: computed.spikes,
      after,
      sums,
      parts,
      logits: this.#neuron(block, 'gradients').neuron ?? sums,
    };
    const fireBack = (pass: BackwardPass, result: Record<string, Space>) => {
      const kernel = fireBackward(shape, block.neuron.neuron, poolOf(block, this.#kind.steps), pass);
      const buffers = Object.fromEntries(
        Object.entries({ ...places, ...result }).filter(([name]) => name in kernel.bindings),
      );
      program.add('slice', {
        kernel,
        label: block.neuron.name,
        buffers,
        groups: () => backwardGroups(shape),
      });
    };
    if (shape.norm) {
      fireBack('sums', {});
      this.#sum(block.name, parts, backwardParts(shape), rows * cp, sums);
    }
    const gradient = computed.product
      ? this.#backThroughProduct(computed, computed.product, fireBack, index)
      : this.#backToFrames(computed, fireBack);
    if (!shape.norm) this.#sum(block.name, parts, backwardParts(shape), rows * cp, sums);
    this.#finishSums(block, rows, sums);
    return gradient;
  }

  #sum(label: string, parts: Space, count: number, size: number, sums: Space): void {
    this.#program.add('batch', {
      kernel: reduceParts(count, size),
      label,
      buffers: { parts, sums },
      groups: () => reduceGroups(size),
    });
  }

  #finishSums(block: Block, rows: number, sums: Space): void {
    const { neuron, norm, fired } = block;
    const { kind, tau, surrogate } = neuron.neuron;
    const perNeuron = kind === 'plif' && tau.per === 'neuron';
    const alphaAt = kind === 'lif' ? 0 : perNeuron ? fired.height * fired.width * padded(fired.channels) : 1;
    const parts = {
      norm: norm !== undefined,
      sharedLogit: kind === 'plif' && !perNeuron,
      alphaAt: surrogate.learnable ? alphaAt : undefined,
    };
    if (!parts.norm && !parts.sharedLogit && parts.alphaAt === undefined) return;
    this.#program.add('batch', {
      kernel: layerGradients(fired.channels, rows, parts),
      label: block.name,
      buffers: {
        sums,
        ...(norm === undefined ? {} : { norm: this.#parameters.space(`${norm.name}.weight`, 'gradients') }),
        ...this.#neuron(block, 'gradients'),
      },
      groups: () => 1,
    });
  }

  #backToFrames(
    { block, shape }: Computed,
    fireBack: (pass: BackwardPass, result: Record<string, Space>) => void,
  ): Space {
    const { product, name } = block;
    if (product.kind !== 'conv') throw new Error(`${name}: only a convolution is recomputed`);
    const size = product.kernel ** 2 * product.inChannels * padded(product.outChannels);
    const weightParts = this.#program.space('fixed', 'weight parts', backwardParts(shape) * size);
    fireBack('current', { weightParts });
    this.#sum(
      name,
      weightParts,
      backwardParts(shape),
      size,
      this.#parameters.space(`${name}.weight`, 'gradients'),
    );
    return weightParts;
  }

  #backThroughProduct(
    { block, shape, source, features }: Computed,
    product: ProductShape,
    fireBack: (pass: BackwardPass, result: Record<string, Space>) => void,
    index: number,
  ): Space {
    const { name, input } = block;
    const program = this.#program;
    const values = shape.currentSteps * block.fired.height * block.fired.width * padded(block.fired.channels);
    const gradient = program.space('scratch', 'product gradient', values);
    fireBack('current', { result: gradient });
    const size = product.kernel ** 2 * product.inChannels * product.outChannels;
    const parts = program.space('fixed', 'weight parts', weightSplits(product) * size);
    program.add('slice', {
      kernel: productOfWeights(product),
      label: name,
      buffers: { source, gradient, parts },
      groups: () => weightGroups(product),
      flop: flopOf(product),
    });
    // Nothing learns from the gradient of frames.
    const ofInput = this.#gradientSpace(index, product.steps * valuesOf(input));
    if (index > 0) {
      const target = features
        ? program.space('scratch', 'feature gradient', product.steps * product.inChannels)
        : ofInput;
      program.add('slice', {
        kernel: productByRows(product, 'input gradient'),
        label: name,
        buffers: {
          source: gradient,
          weight: this.#parameters.space(`${name}.weight`, 'values'),
          result: target,
        },
        groups: rowGroups(product, 'input gradient'),
        flop: flopOf(product),
      });
      if (features !== undefined) {
        program.add('slice', {
          kernel: featureGradient(features),
          label: name,
          buffers: { features: target, ...this.#mask(block, features.masked), result: ofInput },
          groups: featureGradientGroups(features),
        });
      }
    }
    this.#sum(
      name,
      parts,
      weightSplits(product),
      size,
      this.#parameters.space(`${name}.weight`, 'gradients'),
    );
    return ofInput;
  }

  #update({
    regularise,
    isRegularised,
  }: {
    readonly regularise: 'w' | 'tau';
    readonly isRegularised: boolean;
  }): void {
    const program = this.#program;
    for (const { neuron, fired } of isRegularised ? regularisedBlocks(this.#blocks) : []) {
      const pixels = fired.height * fired.width;
      const kernels = tauVariance({ channels: fired.channels, pixels, of: regularise });
      const [values, gradient] = [
        this.#parameters.space(`${neuron.name}.w`, 'values'),
        this.#parameters.space(`${neuron.name}.w`, 'gradients'),
      ];
      const parts = program.space('fixed', 'variance parts', 4 * VARIANCE_GROUPS);
      const moments = program.space('fixed', `${neuron.name} moments`, 2);
      const label = neuron.name;
      program.add('batch', {
        kernel: kernels.sums,
        label,
        buffers: { neuron: values, parts },
        groups: () => VARIANCE_GROUPS,
      });
      program.add('batch', { kernel: kernels.variance, label, buffers: { parts, moments }, groups: () => 1 });
      program.add('batch', {
        kernel: kernels.gradient,
        label,
        buffers: { neuron: values, moments, gradient },
        groups: () => Math.ceil((pixels * padded(fired.channels)) / 256),
      });
    }
    const size = this.#parameters.sizes.values;
    const whole = (arena: 'values' | 'gradients' | 'first' | 'second'): Space => ({
      kind: 'arena',
      arena,
      offset: 0,
      size,
    });
    program.add('batch', {
      kernel: adam(size),
      label: 'all parameters',
      buffers: {
        values: whole('values'),
        gradients: whole('gradients'),
        first: whole('first'),
        second: whole('second'),
      },
      groups: () => Math.ceil(size / 256),
    });
  }
}

/** The blocks whose neurons have a τ each, which the regulariser holds together. */
export function regularisedBlocks(blocks: readonly Block[]): readonly Block[] {
  return blocks.filter(({ neuron: { neuron } }) => neuron.kind === 'plif' && neuron.tau.per === 'neuron');
}

const valuesOf = ({ channels, height, width }: Flow): number => padded(channels) * height * width;

function poolOf({ fired, pool }: Block, steps: number): PoolShape | undefined {
  if (pool === undefined) return undefined;
  const { channels, height, width } = fired;
  return { channels, height, width, steps, mode: pool.mode, size: pool.size };
}

function productShapeOf(
  { input, product }: Block,
  steps: number,
  features: FeatureShape | undefined,
): ProductShape {
  if (product.kind === 'linear') {
    const [inChannels, outChannels] = [padded(product.inFeatures), padded(product.outFeatures)];
    return { inChannels, outChannels, kernel: 1, padding: 0, height: 1, width: 1, steps, input: 'dense' };
  }
  const { inChannels, outChannels, kernel, padding } = product;
  return {
    ...{ inChannels: padded(inChannels), outChannels: padded(outChannels), kernel, padding, steps },
    ...{ height: input.height, width: input.width, input: features === undefined ? input.kind : 'dense' },
  };
}

/** Of each of a product's three directions, for each sample, with padded channels. */
function flopOf(shape: ProductShape): number {
  const { steps, kernel, inChannels, outChannels } = shape;
  return 2 * steps * outHeight(shape) * outWidth(shape) * kernel ** 2 * inChannels * outChannels;
}
