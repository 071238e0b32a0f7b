import { restingPotential } from '../../../neurons.ts';
import type { NeuronSpec, Surrogate } from '../../../spec.ts';
import { type Binding, constants, formatFloat, padded } from './kernel.ts';

/** Neurons of one layer, and where their input current comes from. */
export interface NeuronShape {
  readonly channels: number;
  /** Height and width of the map, each 1 behind a linear layer. */
  readonly height: number;
  readonly width: number;
  /** T. */
  readonly steps: number;
  /** 1 if a still image is repeated: the current is the same at all steps. Otherwise T. */
  readonly currentSteps: number;
  readonly current: StoredCurrent | FirstLayer;
  /** Whether batch norm comes between the product and the neurons. */
  readonly norm: boolean;
  /** `frozen`: one row of statistics for all steps, as in evaluation. */
  readonly statistics: 'by step' | 'frozen';
}

/** The product is read from `y` [samples, currentSteps, pixels, CP]. */
interface StoredCurrent {
  readonly kind: 'stored';
}

/**
 * The first convolution is computed wherever it is needed: its output would be the largest tensor of the network by far (168 MB a sample for
 * the thesis), and a few products are quicker than reading it. Each thread holds the k² · `inChannels` weights of its channel. `frames` are
 * [samples, T, height + 2 · padding, width + 2 · padding, inChannels], with the border of zeros already around them.
 */
interface FirstLayer {
  readonly kind: 'first layer';
  readonly inChannels: number;
  readonly kernel: number;
  /** The width of a frame with its border. */
  readonly frameWidth: number;
  readonly frameHeight: number;
}

/** The buffers that `currentSource` reads. */
export function currentBindings({ current, norm }: NeuronShape): Record<string, Binding> {
  return {
    ...(current.kind === 'stored' ? { y: 'read f32' } : { frames: 'read f32', weight: 'read f32' }),
    ...(norm ? { table: 'read vec4f' } : {}),
  };
}

/**
 * Declares `loadWeights(channel)`, to be called first, `productAt(image, pixel, channel)`, with image = sample · currentSteps + step, and
 * `statisticsOf(step, channel)`: mean, 1 / √(variance + ε), weight and bias, and `currentOf(normalised, statistics)`.
 */
export function currentSource(shape: NeuronShape): string {
  const { channels, height, width, current } = shape;
  return `${constants({
    CHANNELS: channels,
    CP: padded(channels),
    WORDS: Math.ceil(channels / 32),
    WIDTH: width,
    HEIGHT: height,
    PIXELS: height * width,
    STEPS: shape.steps,
    CURRENT_STEPS: shape.currentSteps,
  })}
${current.kind === 'stored' ? storedSource : firstLayerSource(current)}
${
  shape.norm
    ? `fn statisticsOf(step: u32, channel: u32) -> vec4f { return table[${shape.statistics === 'frozen' ? 'channel' : 'step * CP + channel'}]; }`
    : 'fn statisticsOf(step: u32, channel: u32) -> vec4f { return vec4f(0, 1, 1, 0); }'
}
/// Batch norm's output, in one place: forward and backward must round it alike, or they disagree about a spike at the threshold.
fn currentOf(normalised: f32, statistics: vec4f) -> f32 { return normalised * statistics.z + statistics.w; }
/// The step of the current: always the first of a still image.
fn currentStep(step: u32) -> u32 { return ${shape.currentSteps === 1 ? '0u' : 'step'}; }
`;
}

const storedSource = `
fn loadWeights(channel: u32) {}
fn productAt(image: u32, pixel: u32, channel: u32) -> f32 { return y[(image * PIXELS + pixel) * CP + channel]; }
`;

/** The places of a window's values relative to its first, in the order of PyTorch's weights, in which they are added up: [inChannels, k, k]. */
export function windowPlaces({ kernel, inChannels, frameWidth }: FirstLayer): number[] {
  return Array.from({ length: inChannels * kernel * kernel }, (_, i) => {
    const [channel, row] = [Math.floor(i / kernel ** 2), Math.floor(i / kernel) % kernel];
    return (row * frameWidth + (i % kernel)) * inChannels + channel;
  });
}

function firstLayerSource(layer: FirstLayer): string {
  const places = windowPlaces(layer);
  return `
var<private> weights: array<f32, ${places.length}>;
fn loadWeights(channel: u32) {
  ${places.map((_, i) => `weights[${i}] = weight[${i}u * CP + channel];`).join('\n')}
}
fn windowAt(image: u32, pixel: u32) -> u32 {
  return (image * ${layer.frameHeight * layer.frameWidth}u + pixel / WIDTH * ${layer.frameWidth}u + pixel % WIDTH) * ${layer.inChannels}u;
}
fn productAt(image: u32, pixel: u32, channel: u32) -> f32 {
  let at = windowAt(image, pixel);
  var sum = 0.0;
  ${places.map((place, i) => `sum = fma(frames[at + ${place}u], weights[${i}], sum);`).join('\n')}
  return sum;
}
`;
}

/**
 * Declares `leakOf(pixel, channel)`: 1/τ; `alphaOf()`; `resetOf(h)`: the potential after the reset; `charge` and `stepBack`. snn/neurons.ts has the formulas.
 * The buffer `neuron` holds w, one, [CP] or [pixels, CP], and behind it α, as far as they are learned.
 */
export function neuronSource(neuron: NeuronSpec, pixels: number, cp: number): string {
  const { kind, tau, threshold, reset, surrogate } = neuron;
  const rest = restingPotential(neuron);
  const at = { layer: '0', channel: 'channel', neuron: 'pixel * CP + channel' }[tau.per];
  const alphaAt = countLogits(neuron, pixels, cp);
  return `
${constants({}, { THRESHOLD: threshold, REST: rest })}
fn leakOf(pixel: u32, channel: u32) -> f32 { return ${kind === 'lif' ? formatFloat(1 / tau.mean) : `1 / (1 + exp(-neuron[${at}]))`}; }
fn alphaOf() -> f32 { return ${surrogate.learnable ? `neuron[${alphaAt}u]` : formatFloat(surrogate.alpha)}; }
fn charge(potential: f32, current: f32, leak: f32) -> f32 { return potential + (current - (potential - REST)) * leak; }
fn resetOf(charged: f32) -> f32 {
  return select(charged, ${reset.kind === 'hard' ? 'REST' : 'charged - THRESHOLD'}, charged >= THRESHOLD);
}
/// dL/dh of a step, and what of it α scales: from dL/ds, by all that a spike does but the reset, and dL/dv behind the step.
fn stepBack(given: f32, ofPotential: f32, charged: f32, alpha: f32) -> vec2f {
  var ofSpike = given;
  ${reset.detach ? '' : `ofSpike += ofPotential * ${reset.kind === 'hard' ? '(REST - charged)' : '-THRESHOLD'};`}
  let slope = ofSpike * surrogateAt(alpha * (charged - THRESHOLD));
  return vec2f(slope * alpha + ofPotential${reset.kind === 'hard' ? ' * select(1.0, 0.0, charged >= THRESHOLD)' : ''}, slope);
}
fn surrogateAt(z: f32) -> f32 { ${surrogateSource[surrogate.kind]} }
`;
}

/** S'(z), with z = α · (h − threshold). */
const surrogateSource: Readonly<Record<Surrogate['kind'], string>> = {
  atan: `let bent = ${formatFloat(Math.PI / 2)} * z; return 0.5 / (1 + bent * bent);`,
  // Even in z; e^-z itself may overflow, of which WGSL promises nothing.
  sigmoid: 'let e = exp(-abs(z)); return e / ((1 + e) * (1 + e));',
  triangle: 'return max(0, 1 - abs(z));',
};

export const hasTauPerNeuron = ({ kind, tau }: NeuronSpec): boolean =>
  kind === 'plif' && tau.per === 'neuron';

/** The rows of w, [rows, CP], whose variance the regulariser takes; 0 if the layer has a single w, or none. */
export function logitRows({ kind, tau }: NeuronSpec, pixels: number): number {
  return kind === 'lif' || tau.per === 'layer' ? 0 : tau.per === 'channel' ? 1 : pixels;
}

/** The size of w in the buffer `neuron`, behind which α lies. */
export function countLogits(neuron: NeuronSpec, pixels: number, cp: number): number {
  return neuron.kind === 'lif' ? 0 : logitRows(neuron, pixels) * cp || 1;
}

/** Whether the kernels of these neurons read the buffer `neuron`. */
export const hasParameters = ({ kind, surrogate }: NeuronSpec): boolean =>
  kind === 'plif' || surrogate.learnable;

/** Of one sweep over all neurons of a sample. @param each operations for a neuron and step, besides a recomputed product */
export function countNeuronFlop(
  { channels, height, width, steps, current }: NeuronShape,
  each: number,
): number {
  const ofProduct = current.kind === 'stored' ? 0 : 2 * current.kernel ** 2 * current.inChannels;
  return steps * height * width * padded(channels) * (each + ofProduct);
}
