import type { Flow, NetworkBlock } from './blocks.ts';
import {
  type Building,
  type Computed,
  maskSpace,
  neuronSpace,
  poolShape,
  recurrentSpaces,
} from './forward.ts';
import { countLogits, hasTauPerNeuron } from './kernels/current.ts';
import {
  type BackwardPass,
  backwardParts,
  fireBackward,
  sampleParts,
  sumRows,
} from './kernels/fire-backward.ts';
import { featureGradient } from './kernels/head.ts';
import { padded } from './kernels/kernel.ts';
import { layerGradients, reduceParts } from './kernels/parameters.ts';
import { type ProductShape, productByRows, productOfWeights, weightSplits } from './kernels/products.ts';
import { feedBackward } from './kernels/recurrence.ts';
import type { Program, Space } from './program.ts';

/** Gradients of one block's input are written while those of the next are read: two spaces take turns. */
export function gradientSpace(program: Program, block: number, values: number): Space {
  return program.space('kept', `gradient ${block % 2}`, values);
}

/**
 * A block's backward pass: its parameters' gradients, and that of its input, unless it is the first.
 *
 * @param after the gradient of the block's output
 * @param index of the block
 * @returns the gradient of the block before's output
 */
export function addBackward(building: Building, computed: Computed, after: Space, index: number): Space {
  const { program, parameters } = building;
  const { block, shape, product } = computed;
  const rows = sumRows(shape);
  const sizeOfSums = rows * padded(block.fired.channels);
  const sums = program.space('fixed', `${block.name} sums`, sizeOfSums);
  const addUp = () => {
    const parts = program.space('fixed', 'sum parts', backwardParts(shape) * sizeOfSums);
    addSum(program, block.name, { parts, count: backwardParts(shape), size: sizeOfSums, sums });
    if (!hasTauPerNeuron(block.neuron.neuron)) return;
    const size = valuesOf(block.fired);
    const count = sampleParts(shape);
    const ofLogits = program.space('fixed', 'logit parts', count * size);
    const gradient = parameters.space(`${block.neuron.name}.w`, 'gradients');
    addSum(program, block.name, { parts: ofLogits, count, size, sums: gradient });
  };
  if (shape.norm) {
    addFireBackward(building, computed, 'sums', { after, sums });
    addUp();
  }
  const gradient =
    product === undefined
      ? addFrameGradient(building, computed, { after, sums })
      : addProductBackward(building, computed, product, { after, sums }, index);
  if (!shape.norm) addUp();
  addLayerGradients(building, block, rows, sums);
  return gradient;
}

interface Gradients {
  /** Of the block's output. */
  readonly after: Space;
  readonly sums: Space;
}

const valuesOf = ({ channels, height, width }: Flow): number => padded(channels) * height * width;

function addFireBackward(
  { program, parameters, kind }: Building,
  { block, shape, current, spikes }: Computed,
  pass: BackwardPass,
  spaces: Gradients & { readonly result?: Space; readonly weightParts?: Space },
): void {
  const kernel = fireBackward(shape, block.neuron.neuron, poolShape(block, kind.steps), pass);
  const cp = padded(block.fired.channels);
  const buffers: Record<string, Space> = {
    ...current,
    ...neuronSpace(parameters, block, 'values'),
    spikes,
    parts: program.space('fixed', 'sum parts', backwardParts(shape) * sumRows(shape) * cp),
    ...(hasTauPerNeuron(block.neuron.neuron)
      ? { logitParts: program.space('fixed', 'logit parts', sampleParts(shape) * valuesOf(block.fired)) }
      : {}),
    ...spaces,
  };
  program.add('slice', block.neuron.name, kernel, buffers);
}

function addSum(
  program: Program,
  label: string,
  given: { readonly parts: Space; readonly count: number; readonly size: number; readonly sums: Space },
): void {
  const { count, size, ...buffers } = given;
  program.add('batch', label, reduceParts(count, size), buffers);
}

/** Batch norm's weight and bias, a w that the layer or its channels share, and α. */
function addLayerGradients(
  { program, parameters }: Building,
  block: NetworkBlock,
  rows: number,
  sums: Space,
): void {
  const { norm, fired } = block;
  const { neuron } = block.neuron;
  const parts = {
    norm: norm !== undefined,
    logitPer: neuron.kind === 'lif' || neuron.tau.per === 'neuron' ? undefined : neuron.tau.per,
    alphaAt: neuron.surrogate.learnable
      ? countLogits(neuron, fired.height * fired.width, padded(fired.channels))
      : undefined,
  };
  const kernel = layerGradients(fired.channels, rows, parts);
  if (Object.keys(kernel.bindings).length === 1) return; // nothing to write
  const buffers: Record<string, Space> = {
    sums,
    ...(norm === undefined ? {} : { norm: parameters.space(`${norm.name}.weight`, 'gradients') }),
    ...neuronSpace(parameters, block, 'gradients'),
  };
  program.add('batch', block.name, kernel, buffers);
}

/** Of a first layer that is recomputed: only the weights' gradient, as nothing learns from that of frames. */
function addFrameGradient(building: Building, computed: Computed, gradients: Gradients): Space {
  const { program, parameters } = building;
  const { product, name } = computed.block;
  if (product.kind !== 'conv') throw new Error(`${name}: only a convolution is recomputed`);
  const size = product.kernel ** 2 * product.inChannels * padded(product.outChannels);
  const count = backwardParts(computed.shape);
  const weightParts = program.space('fixed', 'weight parts', count * size);
  addFireBackward(building, computed, 'current', { ...gradients, weightParts });
  const sums = parameters.space(`${name}.weight`, 'gradients');
  addSum(program, name, { parts: weightParts, count, size, sums });
  return weightParts;
}

function addProductBackward(
  building: Building,
  computed: Computed,
  product: ProductShape,
  gradients: Gradients,
  index: number,
): Space {
  const { program, parameters } = building;
  const { block, shape, source, features } = computed;
  const { name, input } = block;
  const gradient = program.space('scratch', 'product gradient', shape.currentSteps * valuesOf(block.fired));
  addGradientThroughRecurrence(building, computed, gradients.after);
  addFireBackward(building, computed, 'current', { ...gradients, result: gradient });
  const addWeights = addWeightParts(building, name, product, { source, gradient });
  const addRecurrent = addRecurrentParts(building, computed, gradient);
  const ofInput = gradientSpace(program, index, product.steps * valuesOf(input));
  if (index > 0) {
    const result =
      features === undefined
        ? ofInput
        : program.space('scratch', 'feature gradient', product.steps * product.inChannels);
    program.add('slice', name, productByRows(product, 'input gradient'), {
      source: gradient,
      weight: parameters.space(`${name}.weight`, 'values'),
      result,
    });
    if (features !== undefined) {
      program.add('slice', name, featureGradient(features), {
        features: result,
        ...maskSpace(program, block, features),
        result: ofInput,
      });
    }
  }
  addWeights();
  addRecurrent?.();
  return ofInput;
}

/** The gradient of a layer's weights, in parts for each slice. @returns what adds them up, behind all slices */
function addWeightParts(
  { program, parameters }: Building,
  layer: string,
  product: ProductShape,
  spaces: { readonly source: Space; readonly gradient: Space },
): () => void {
  const size = product.kernel ** 2 * product.inChannels * product.outChannels;
  const count = weightSplits(product);
  // A block's recurrence has other parts than its product, whose input is dense.
  const parts = program.space('fixed', `${product.input} weight parts`, count * size);
  program.add('slice', layer, productOfWeights(product), { ...spaces, parts });
  const sums = parameters.space(`${layer}.weight`, 'gradients');
  return () => addSum(program, layer, { parts, count, size, sums });
}

/** Adds to the gradient of recurrent neurons' spikes, in place, what they do in the next step. */
function addGradientThroughRecurrence(
  { program, parameters, kind }: Building,
  { block: { neuron, fired }, shape, current, before }: Computed,
  after: Space,
): void {
  if (before === undefined) return;
  program.add('slice', neuron.name, feedBackward(shape, neuron.neuron), {
    ...current,
    ...recurrentSpaces(parameters, neuron),
    charged: program.space('scratch', 'charged', kind.steps * padded(fired.channels)),
    after,
  });
}

function addRecurrentParts(
  building: Building,
  { block: { neuron, fired }, before }: Computed,
  gradient: Space,
): (() => void) | undefined {
  if (before === undefined) return undefined;
  const channels = padded(fired.channels);
  const product: ProductShape = {
    ...{ inChannels: channels, outChannels: channels, kernel: 1, padding: 0, height: 1, width: 1 },
    ...{ steps: building.kind.steps, input: 'bits' },
  };
  return addWeightParts(building, `${neuron.name}.recurrent`, product, { source: before, gradient });
}
