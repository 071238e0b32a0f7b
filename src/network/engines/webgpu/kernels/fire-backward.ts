import type { NeuronSpec } from '../../../spec.ts';
import {
  countNeuronFlop,
  currentBindings,
  currentSource,
  hasParameters,
  hasTauPerNeuron,
  type NeuronShape,
  neuronSource,
  windowPlaces,
} from './current.ts';
import type { PoolShape } from './fire.ts';
import { type Binding, constants, defineKernel, entryPoint, type Kernel, padded } from './kernel.ts';

/** Into how many parts the pixels are divided, and the samples, where there are too few pixels to keep a large device busy. */
function partsOf({ channels, height, width }: NeuronShape): {
  readonly pixels: number;
  readonly samples: number;
} {
  const pixels = Math.min(256, Math.ceil((height * width) / 8));
  const groups = pixels * Math.ceil(channels / 32);
  return { pixels, samples: Math.min(16, Math.max(1, Math.floor(1024 / groups))) };
}

export const sampleParts = (shape: NeuronShape): number => partsOf(shape).samples;

export const backwardParts = (shape: NeuronShape): number => partsOf(shape).pixels * partsOf(shape).samples;

/** Rows of `sums`: for each step of the current Σ g and Σ g · ŷ, where there is a batch norm; then dL/dα and, of a τ that pixels share, dL/dw. */
export const sumRows = (shape: NeuronShape): number => (shape.norm ? 2 * shape.currentSteps : 0) + 2;

/**
 * `sums`: adds up what batch norm and the neurons' parameters need. `current`: computes the gradient of the product, which needs those sums;
 * without batch norm it does both. Neurons are cheap, so both compute them anew rather than storing a gradient as large as the product.
 */
export type BackwardPass = 'sums' | 'current';

/**
 * Neurons and batch norm, backward through time (snn/neurons.ts has the formulas). With g = dL/dx and ŷ the normalised product,
 * `dL/dy = weight / √(variance + ε) · (g − mean(g) − ŷ · mean(g · ŷ))`, means being over the rows of a step.
 *
 * @param pool what follows the neurons: the first maximum of a window takes the gradient
 * @returns a kernel that reads `spikes` (with max pooling), `after`, the gradient of the pooled spikes [samples, T, pooled pixels, CP]; and
 *   - with sums: writes `parts` [parts, sumRows, CP] and, with τ per neuron, `logitParts` [sampleParts, pixels, CP], of the gradient of w
 *   - of a stored current: writes `result`, the gradient of the product, like `y`
 *   - of the first layer: writes `weightParts` [parts, k² · inChannels, CP], as nothing needs the gradient of frames
 */
export function fireBackward(
  shape: NeuronShape,
  neuron: NeuronSpec,
  pool: PoolShape | undefined,
  pass: BackwardPass,
): Kernel {
  const { current, norm } = shape;
  const addsUp = pass === 'sums' || !norm;
  const isLast = pass === 'current';
  const perNeuron = hasTauPerNeuron(neuron);
  const places = current.kind === 'first layer' ? windowPlaces(current) : [];
  const bindings: Record<string, Binding> = {
    ...currentBindings(shape),
    ...(hasParameters(neuron) ? { neuron: 'read f32' } : {}),
    ...(pool?.mode === 'max' ? { spikes: 'read u32' } : {}),
    after: 'read f32',
    ...(isLast && norm ? { sums: 'read f32' } : {}),
    ...(addsUp ? { parts: 'write f32', ...(perNeuron ? { logitParts: 'write f32' } : {}) } : {}),
    ...(isLast ? (current.kind === 'stored' ? { result: 'write f32' } : { weightParts: 'write f32' }) : {}),
  };
  const isRepeated = shape.currentSteps === 1 && shape.steps > 1;
  const finish = `{
    let statistics = statisticsOf(currentStep(step), channel);
    var gradient = ${isRepeated ? 'total' : 'current'};
    ${
      norm
        ? `let rows = f32(batch.total * PIXELS);
    let row = 2u * currentStep(step) * CP + channel;
    gradient = statistics.y * statistics.z * (gradient - sums[row] / rows - normalised[step] * (sums[row + CP] / rows));`
        : ''
    }
    ${
      current.kind === 'stored'
        ? 'result[((sample * CURRENT_STEPS + currentStep(step)) * PIXELS + pixel) * CP + channel] = gradient;'
        : `let at = windowAt(sample * STEPS + step, pixel);
    ${places.map((place, i) => `weightSums[${i}] = fma(gradient, frames[at + ${place}u], weightSums[${i}]);`).join('\n    ')}`
    }
  }`;
  return defineKernel(
    pass === 'sums' ? 'fire backward, sums' : 'fire backward, current',
    () => backwardParts(shape) * Math.ceil(shape.channels / 32),
    bindings,
    `${currentSource(shape)}${neuronSource(neuron, shape.height * shape.width, padded(shape.channels))}${afterSource(pool)}
const PIXEL_PARTS = ${partsOf(shape).pixels}u;
const SAMPLE_PARTS = ${sampleParts(shape)}u;
const ROWS = ${sumRows(shape)}u;
var<workgroup> lanes: array<vec2f, 256>;
fn addLanes(local: vec3u, mine: vec2f) -> vec2f {
  workgroupBarrier();
  lanes[local.y * 32u + local.x] = mine;
  workgroupBarrier();
  var all = vec2f();
  for (var lane = 0u; lane < 8u; lane++) { all += lanes[lane * 32u + local.x]; }
  return all;
}
${entryPoint('32, 8')}
  let part = group / WORDS;
  if (part >= PIXEL_PARTS * SAMPLE_PARTS) { return; }
  let channel = group % WORDS * 32u + local.x;
  loadWeights(channel);
  let alpha = alphaOf();
  var normalised: array<f32, STEPS>;
  var potentials: array<f32, STEPS>; // before a reset
  var sumOfAlpha = 0.0;
  var sumOfLeak = 0.0;
  ${addsUp && norm ? 'var stepSums: array<vec2f, CURRENT_STEPS>;' : ''}
  ${isLast && places.length > 0 ? `var weightSums: array<f32, ${places.length}>;` : ''}
  for (var pixel = part % PIXEL_PARTS * 8u + local.y; pixel < PIXELS; pixel += PIXEL_PARTS * 8u) {
    let leak = leakOf(pixel, channel);
    var leakGradient = 0.0;
    for (var sample = part / PIXEL_PARTS; sample < batch.samples; sample += SAMPLE_PARTS) {
      var potential = REST;
      for (var step = 0u; step < STEPS; step++) {
        let statistics = statisticsOf(currentStep(step), channel);
        normalised[step] = (productAt(sample * CURRENT_STEPS + currentStep(step), pixel, channel) - statistics.x) * statistics.y;
        let charged = charge(potential, currentOf(normalised[step], statistics), leak);
        potentials[step] = charged;
        potential = resetOf(charged);
      }
      var ofPotential = 0.0; // dL/dv, by the potential after a step
      var total = 0.0;       // over the steps of a repeated image
      for (var left = STEPS; left > 0u; left--) {
        let step = left - 1u;
        let charged = potentials[step];
        let back = stepBack(gradientAfter(sample * STEPS + step, pixel, channel), ofPotential, charged, alpha);
        let ofCharged = back.x;
        let current = ofCharged * leak;
        total += current;
        ofPotential = ofCharged * (1 - leak);
        ${
          addsUp
            ? `var before = REST;
        if (step > 0u) { before = resetOf(potentials[step - 1u]); }
        let statistics = statisticsOf(currentStep(step), channel);
        sumOfAlpha += back.y * (charged - THRESHOLD);
        leakGradient += ofCharged * (currentOf(normalised[step], statistics) - (before - REST));
        ${norm ? 'stepSums[currentStep(step)] += vec2f(current, current * normalised[step]);' : ''}`
            : ''
        }
        ${isLast && !isRepeated ? finish : ''}
      }
      ${isLast && isRepeated ? `let step = 0u;\n      ${finish}` : ''}
    }
    ${
      addsUp && perNeuron
        ? `let ofLogit = leakGradient * leak * (1 - leak);
    let at = (part / PIXEL_PARTS * PIXELS + pixel) * CP + channel;
    if (batch.slice == 0u) { logitParts[at] = ofLogit; } else { logitParts[at] += ofLogit; }`
        : 'sumOfLeak += leakGradient * leak * (1 - leak);'
    }
  }
  ${
    addsUp
      ? `${
          norm
            ? `for (var step = 0u; step < CURRENT_STEPS; step++) {
    let all = addLanes(local, stepSums[step]);
    if (local.y == 0u) { addPart(part, 2u * step, channel, all); }
  }`
            : ''
        }
  let all = addLanes(local, vec2f(sumOfAlpha, sumOfLeak));
  if (local.y == 0u) { addPart(part, ROWS - 2u, channel, all); }`
      : ''
  }
  ${
    isLast && places.length > 0
      ? `for (var i = 0u; i < ${places.length}u; i += 2u) {
    let all = addLanes(local, vec2f(weightSums[i], weightSums[min(i + 1u, ${places.length - 1}u)]));
    if (local.y == 0u) {
      addWeight(part, i, channel, all.x);
      if (i + 1u < ${places.length}u) { addWeight(part, i + 1u, channel, all.y); }
    }
  }`
      : ''
  }
}
${
  addsUp
    ? `fn addPart(part: u32, row: u32, channel: u32, values: vec2f) {
  let at = (part * ROWS + row) * CP + channel;
  if (batch.slice == 0u) { parts[at] = values.x; parts[at + CP] = values.y; }
  else { parts[at] += values.x; parts[at + CP] += values.y; }
}`
    : ''
}
${
  isLast && places.length > 0
    ? `fn addWeight(part: u32, i: u32, channel: u32, value: f32) {
  let at = (part * ${places.length}u + i) * CP + channel;
  if (batch.slice == 0u) { weightParts[at] = value; } else { weightParts[at] += value; }
}`
    : ''
}
`,
    countNeuronFlop(shape, 40) + (isLast && places.length > 0 ? countNeuronFlop(shape, 0) : 0),
  );
}

/** Declares `gradientAfter(image, pixel, channel)`: dL/ds of a neuron, from the gradient of what follows it. */
function afterSource(pool: PoolShape | undefined): string {
  if (pool === undefined) {
    return `
fn gradientAfter(image: u32, pixel: u32, channel: u32) -> f32 { return after[(image * PIXELS + pixel) * CP + channel]; }
`;
  }
  const { size, mode } = pool;
  const [outHeight, outWidth] = [Math.floor(pool.height / size), Math.floor(pool.width / size)];
  return `
${constants({ SIZE: size, OUT_HEIGHT: outHeight, OUT_WIDTH: outWidth })}
fn gradientAfter(image: u32, pixel: u32, channel: u32) -> f32 {
  let row = pixel / WIDTH / SIZE;
  let column = pixel % WIDTH / SIZE;
  if (row >= OUT_HEIGHT || column >= OUT_WIDTH) { return 0; } // in an incomplete window
  let gradient = after[((image * OUT_HEIGHT + row) * OUT_WIDTH + column) * CP + channel];
  ${
    mode === 'average'
      ? 'return gradient / f32(SIZE * SIZE);'
      : `// The first maximum: the first spike, or the first neuron where none spikes.
  let first = row * SIZE * WIDTH + column * SIZE;
  var winner = first;
  for (var i = SIZE * SIZE; i > 0u; i--) {
    let candidate = first + (i - 1u) / SIZE * WIDTH + (i - 1u) % SIZE;
    let bits = spikes[(image * PIXELS + candidate) * WORDS + channel / 32u];
    if (((bits >> (channel % 32u)) & 1u) == 1u) { winner = candidate; }
  }
  return select(0.0, gradient, pixel == winner);`
  }
}
`;
}
