import type { NeuronShape } from '../../../src/engines/webgpu/kernels/current.ts';
import type { PoolShape } from '../../../src/engines/webgpu/kernels/fire.ts';
import { padded } from '../../../src/engines/webgpu/kernels/kernel.ts';
import { charge, reset, restingPotential, surrogates } from '../../../src/snn/neurons.ts';
import type { NeuronSpec } from '../../../src/snn/spec.ts';
import { each } from './run-kernel.ts';

/** A layer of neurons with what it computes from, in the layouts of the kernels; loops over it are in double precision. */
export interface LayerInput {
  readonly samples: number;
  readonly shape: NeuronShape;
  readonly neuron: NeuronSpec;
  readonly pool?: PoolShape | undefined;
  /** [samples, currentSteps, pixels, CP]. */
  readonly product: ArrayLike<number>;
  /** [steps of the table, CP, 4]; none without batch norm. */
  readonly table?: Float32Array | undefined;
  /** w, one or [pixels, CP], and behind it α, as far as they are learned. */
  readonly parameters: Float32Array;
}

/** All [samples, T, pixels, CP] but for `normalised`, which is like the product. */
interface Fired {
  readonly normalised: Float64Array;
  readonly charged: Float64Array;
  readonly spikes: Float64Array;
  readonly potentials: Float64Array;
  /** How near a potential comes to the threshold: if it is almost nothing, rounding decides whether there is a spike. */
  readonly margin: number;
}

const sizesOf = ({ shape: { channels, height, width } }: LayerInput) => {
  const [pixels, cp] = [height * width, padded(channels)];
  return { pixels, cp, neurons: pixels * cp };
};

/** Mean, 1 / √(variance + ε), weight and bias of a place of the product. */
function normOf(layer: LayerInput, step: number, channel: number): readonly number[] {
  const row = layer.shape.statistics === 'frozen' ? 0 : step;
  const at = 4 * (row * padded(layer.shape.channels) + channel);
  return layer.table?.subarray(at, at + 4) ? [...layer.table.subarray(at, at + 4)] : [0, 1, 1, 0];
}

export function leakOf({ neuron, parameters }: LayerInput, place: number): number {
  if (neuron.kind === 'lif') return 1 / neuron.tau.mean;
  return 1 / (1 + Math.exp(-(parameters[neuron.tau.per === 'neuron' ? place : 0] ?? Number.NaN)));
}

export function fireInLoops(layer: LayerInput): Fired {
  const { samples, shape, neuron, product } = layer;
  const { cp, neurons } = sizesOf(layer);
  const { steps, currentSteps } = shape;
  const rest = restingPotential(neuron);
  const normalised = each(product.length, (i) => {
    const [mean = 0, scale = 1] = normOf(layer, Math.floor(i / neurons) % currentSteps, i % cp);
    return ((product[i] ?? Number.NaN) - mean) * scale;
  });
  const length = samples * steps * neurons;
  const [charged, spikes, potentials] = [
    new Float64Array(length),
    new Float64Array(length),
    new Float64Array(length),
  ];
  let margin = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < samples; sample++) {
    for (let place = 0; place < neurons; place++) {
      if (place % cp >= shape.channels) continue;
      let potential = rest;
      for (let step = 0; step < steps; step++) {
        const current = currentSteps === 1 ? 0 : step;
        const [, , weight = 1, bias = 0] = normOf(layer, current, place % cp);
        const x =
          (normalised[(sample * currentSteps + current) * neurons + place] ?? Number.NaN) * weight + bias;
        const h = charge(potential, x, leakOf(layer, place), rest);
        potential = reset(h, neuron.threshold, neuron.reset.kind === 'hard', rest);
        const at = (sample * steps + step) * neurons + place;
        charged[at] = h;
        spikes[at] = h >= neuron.threshold ? 1 : 0;
        potentials[at] = potential;
        margin = Math.min(margin, Math.abs(h - neuron.threshold));
      }
    }
  }
  return { normalised, charged, spikes, potentials, margin };
}

/** dL/ds of each neuron from the gradient of what follows it. */
function gradientAfter(
  { samples, shape, pool }: LayerInput,
  spikes: Float64Array,
  after: Float32Array,
): Float64Array {
  if (pool === undefined) return Float64Array.from(after);
  const cp = padded(shape.channels);
  const { height, width, steps } = shape;
  const { size, mode } = pool;
  const [outHeight, outWidth] = [Math.floor(height / size), Math.floor(width / size)];
  const result = new Float64Array(spikes.length);
  after.forEach((gradient, i) => {
    const [channel, window] = [i % cp, Math.floor(i / cp)];
    const [column, row] = [window % outWidth, Math.floor(window / outWidth) % outHeight];
    const image = Math.floor(window / outWidth / outHeight);
    const places = Array.from({ length: size ** 2 }, (_, k) => {
      const pixel = (row * size + Math.floor(k / size)) * width + column * size + (k % size);
      return (image * height * width + pixel) * cp + channel;
    });
    const firstMaximum = places.find((at) => spikes[at] === 1) ?? places[0] ?? 0;
    for (const at of mode === 'max' ? [firstMaximum] : places)
      result[at] = mode === 'max' ? gradient : gradient / size ** 2;
  });
  if (after.length !== samples * steps * outHeight * outWidth * cp)
    throw new Error('the gradient does not fill the pool');
  return result;
}

/** By the formulas of src/snn/neurons.ts. */
export function backInLoops(layer: LayerInput, after: Float32Array) {
  const { samples, shape, neuron, parameters } = layer;
  const { cp, neurons, pixels } = sizesOf(layer);
  const { steps, currentSteps } = shape;
  const { kind, detach } = neuron.reset;
  const { charged, spikes, potentials, normalised } = fireInLoops(layer);
  const ofSpikes = gradientAfter(layer, spikes, after);
  const alpha = neuron.surrogate.learnable ? (parameters.at(-1) ?? Number.NaN) : neuron.surrogate.alpha;
  const { derivative } = surrogates[neuron.surrogate.kind];
  const rest = restingPotential(neuron);
  /** dL/dx of the normalised current, summed over the steps of a repeated image; dL/dα and dL/dw. */
  const ofCurrent = new Float64Array(normalised.length);
  const ofAlpha = new Float64Array(cp);
  const ofLogits = new Float64Array(neurons);
  for (let sample = 0; sample < samples; sample++) {
    for (let place = 0; place < neurons; place++) {
      const channel = place % cp;
      if (channel >= shape.channels) continue;
      const leak = leakOf(layer, place);
      let ofPotential = 0;
      for (let step = steps - 1; step >= 0; step--) {
        const at = (sample * steps + step) * neurons + place;
        const [h = 0, fired = 0] = [charged[at], spikes[at]];
        const current = currentSteps === 1 ? 0 : step;
        const from = (sample * currentSteps + current) * neurons + place;
        const [, , weight = 1, bias = 0] = normOf(layer, current, channel);
        const x = (normalised[from] ?? 0) * weight + bias;
        const u = h - neuron.threshold;
        let ofSpike = ofSpikes[at] ?? Number.NaN;
        if (!detach) ofSpike += ofPotential * (kind === 'hard' ? rest - h : -neuron.threshold);
        const slope = derivative(alpha * u);
        const ofCharged = ofSpike * alpha * slope + ofPotential * (kind === 'hard' ? 1 - fired : 1);
        const before = step === 0 ? rest : (potentials[at - neurons] ?? Number.NaN);
        ofCurrent[from]! += ofCharged * leak;
        ofAlpha[channel]! += ofSpike * u * slope;
        ofLogits[place]! += ofCharged * (x - (before - rest)) * leak * (1 - leak);
        ofPotential = ofCharged * (1 - leak);
      }
    }
  }
  /** [2 · currentSteps, CP]: Σ g and Σ g · ŷ of each step and channel. */
  const sums = new Float64Array(2 * currentSteps * cp);
  ofCurrent.forEach((gradient, i) => {
    const row = 2 * (Math.floor(i / neurons) % currentSteps);
    sums[row * cp + (i % cp)]! += gradient;
    sums[(row + 1) * cp + (i % cp)]! += gradient * (normalised[i] ?? 0);
  });
  const count = samples * pixels;
  const ofProduct = ofCurrent.map((gradient, i) => {
    if (!shape.norm || i % cp >= shape.channels) return gradient;
    const step = Math.floor(i / neurons) % currentSteps;
    const [, scale = 1, weight = 1] = normOf(layer, step, i % cp);
    const [mean = 0, meanWith = 0] = [sums[2 * step * cp + (i % cp)], sums[(2 * step + 1) * cp + (i % cp)]];
    return weight * scale * (gradient - mean / count - (normalised[i] ?? 0) * (meanWith / count));
  });
  return { ofAlpha, ofLogits, sums, ofProduct };
}
