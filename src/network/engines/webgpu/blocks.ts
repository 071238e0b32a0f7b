import { ShapeError } from '../../../formats/tensor.ts';
import { type Layer, type LayerOf, type NetworkSpec, outputShapes } from '../../spec.ts';

/** The most weights of a channel that a thread holds. */
const mostHeldWeights = 32;

/** As many as the memory that WebGPU promises a workgroup holds twice (kernels/recurrence.ts). */
const mostRecurrentNeurons = 2048;

/** What one layer gives to the next: [channels, height, width] at each step of the current or of time. */
export interface Flow {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** `bits`: spikes; `dense`: numbers. */
  readonly kind: 'bits' | 'dense';
}

/** A product, what makes spikes of it, and a pool: the unit in which a network is computed. */
export interface NetworkBlock {
  /** Of its product's layer. */
  readonly name: string;
  readonly input: Flow;
  readonly product: LayerOf<'conv'> | LayerOf<'linear'>;
  /** Of a linear layer's input, the place of its dropout mask among all masks. */
  readonly mask: number | undefined;
  readonly norm: LayerOf<'batch-norm'> | undefined;
  /**
   * Whether it is a convolution of frames that is computed wherever it is needed, rather than stored: a thread can hold the few weights of a
   * channel, and its output would be the largest tensor of all.
   */
  readonly isRecomputed: boolean;
  /** Whether the product is that of a still image, which the neurons get at every step. */
  readonly repeats: boolean;
  readonly neuron: LayerOf<'neuron'>;
  /** [channels, height, width] of the neurons. */
  readonly fired: Flow;
  readonly pool: LayerOf<'pool'> | undefined;
  readonly output: Flow;
}

/**
 * Divides a network into blocks: `[flatten] [dropout] conv or linear, [batch norm], [repeat], neuron, [pool]`, as every network of `buildNetwork` is,
 * and a vote at the end.
 *
 * @throws {ShapeError} if its layers come in another order
 */
export function divideIntoBlocks(spec: NetworkSpec): {
  readonly blocks: readonly NetworkBlock[];
  readonly group: number;
} {
  const { layers } = spec;
  const shapes = outputShapes(spec);
  const blocks: NetworkBlock[] = [];
  const [channels, height, width] = spec.input;
  let flow: Flow = { channels, height, width, kind: 'dense' };
  let masks = 0;
  let next = 0;
  const take = <Kind extends Layer['kind']>(kind: Kind): LayerOf<Kind> | undefined => {
    const layer = layers[next];
    if (layer?.kind !== kind) return undefined;
    next += 1;
    return layer as LayerOf<Kind>;
  };
  const flowBehind = (kind: Flow['kind']): Flow => {
    const [outChannels = 1, outHeight = 1, outWidth = 1] = shapes[next - 1] ?? [];
    return { channels: outChannels, height: outHeight, width: outWidth, kind };
  };
  while (next < layers.length - 1) {
    take('flatten');
    const mask = take('dropout') === undefined ? undefined : masks++;
    take('flatten');
    const product = take('conv') ?? take('linear');
    if (product === undefined || (product.kind === 'conv' && mask !== undefined))
      throw misplaced(layers, next);
    const norm = take('batch-norm');
    const repeats = take('repeat') !== undefined;
    const neuron = take('neuron');
    if (neuron === undefined) throw misplaced(layers, next);
    const fired = flowBehind('bits');
    const pool = take('pool');
    if (
      neuron.recurrent === true &&
      (product.kind === 'conv' || norm !== undefined || repeats || pool !== undefined)
    )
      throw misplaced(layers, next);
    if (neuron.recurrent === true && fired.channels > mostRecurrentNeurons) {
      throw new ShapeError(
        `network: the WebGPU engine computes at most ${mostRecurrentNeurons} recurrent neurons in a layer, and ${neuron.name} has ${fired.channels}`,
      );
    }
    const output = flowBehind(pool?.mode === 'average' ? 'dense' : 'bits');
    const isRecomputed =
      blocks.length === 0 &&
      product.kind === 'conv' &&
      !repeats &&
      product.kernel ** 2 * product.inChannels <= mostHeldWeights;
    const parts = { product, mask, norm, isRecomputed, repeats, neuron, fired, pool };
    blocks.push({ name: product.name, input: flow, ...parts, output });
    flow = output;
  }
  const last = take('vote');
  if (last === undefined || flow.kind !== 'bits' || flow.channels !== spec.classes * last.group)
    throw misplaced(layers, next);
  return { blocks, group: last.group };
}

function misplaced(layers: readonly Layer[], at: number): ShapeError {
  return new ShapeError(
    `network: the WebGPU engine computes convolutions or linear layers, each with optional batch norm, neurons and an optional pool, ` +
      `recurrent neurons right between linear layers, and a vote at the end; layer ${at} (${layers[at]?.kind ?? 'none'}) is not in this order`,
  );
}
