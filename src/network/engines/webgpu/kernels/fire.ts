import type { NeuronSpec } from '../../../spec.ts';
import {
  countNeuronFlop,
  currentBindings,
  currentSource,
  hasParameters,
  type NeuronShape,
  neuronSource,
} from './current.ts';
import { constants, defineKernel, entryPoint, type Kernel, padded } from './kernel.ts';

/**
 * Batch norm and neurons over all T steps: a thread is one neuron of one sample, whose potential stays in a register.
 *
 * @returns a kernel that writes `spikes` as bits [samples, T, pixels, WORDS] and adds their number to `counts[0]`; with `potentials`, also
 *   the potentials after the reset [samples, T, pixels, CP]
 */
export function fireKernel(shape: NeuronShape, neuron: NeuronSpec, { potentials = false } = {}): Kernel {
  const chunks = Math.ceil((shape.height * shape.width) / 8);
  return defineKernel(
    'fire',
    (samples) => samples * chunks * Math.ceil(shape.channels / 32),
    {
      ...currentBindings(shape),
      ...(hasParameters(neuron) ? { neuron: 'read f32' } : {}),
      spikes: 'write u32',
      counts: 'write atomic<u32>',
      ...(potentials ? { potentials: 'write f32' } : {}),
    },
    `${currentSource(shape)}${neuronSource(neuron, shape.height * shape.width, padded(shape.channels))}
const CHUNKS = ${chunks}u;
var<workgroup> words: array<atomic<u32>, 256>; // [8 pixels, 32 steps]
var<workgroup> count: atomic<u32>;
${entryPoint('32, 8')}
  let sample = group / WORDS / CHUNKS;
  if (sample >= batch.samples) { return; }
  let word = group % WORDS;
  let channel = word * 32u + local.x;
  let pixel = group / WORDS % CHUNKS * 8u + local.y;
  let isNeuron = pixel < PIXELS && channel < CHANNELS;
  loadWeights(channel);
  var leak = 0.0;
  if (isNeuron) { leak = leakOf(pixel, channel); }
  var potential = REST;
  for (var start = 0u; start < STEPS; start += 32u) {
    atomicStore(&words[thread], 0u);
    workgroupBarrier();
    if (isNeuron) {
      for (var step = start; step < min(STEPS, start + 32u); step++) {
        let statistics = statisticsOf(currentStep(step), channel);
        let product = productAt(sample * CURRENT_STEPS + currentStep(step), pixel, channel);
        let current = currentOf((product - statistics.x) * statistics.y, statistics);
        let charged = charge(potential, current, leak);
        if (charged >= THRESHOLD) { atomicOr(&words[local.y * 32u + step - start], 1u << local.x); }
        potential = resetOf(charged);
        ${potentials ? 'potentials[((sample * STEPS + step) * PIXELS + pixel) * CP + channel] = potential;' : ''}
      }
    }
    workgroupBarrier();
    // Neighbouring threads write neighbouring pixels.
    let lane = thread % 8u;
    let step = start + thread / 8u;
    let aim = group / WORDS % CHUNKS * 8u + lane;
    if (step < STEPS && aim < PIXELS) {
      let bits = atomicLoad(&words[lane * 32u + step - start]);
      spikes[((sample * STEPS + step) * PIXELS + aim) * WORDS + word] = bits;
      atomicAdd(&count, countOneBits(bits));
    }
    workgroupBarrier();
  }
  if (thread == 0u) { atomicAdd(&counts[0], atomicLoad(&count)); }
}
`,
    countNeuronFlop(shape, 10),
  );
}

/** Maps between neurons and the next product. */
export interface PoolShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly steps: number;
  readonly mode: 'max' | 'average';
  readonly size: number;
}

export const pooledPixels = ({ height, width, size }: PoolShape): number =>
  Math.floor(height / size) * Math.floor(width / size);

/**
 * Non-overlapping windows; incomplete ones are dropped. The maximum of spikes is their OR, so it stays bits; the mean is a number.
 *
 * @returns a kernel that reads `spikes`, and writes `pooled`: bits, or numbers [samples, T, pooled pixels, CP]
 */
export function poolKernel(shape: PoolShape): Kernel {
  const { channels, height, width, size, mode } = shape;
  const isMax = mode === 'max';
  const words = Math.ceil(channels / 32);
  return defineKernel(
    `${mode} pooling`,
    (samples) => Math.ceil((samples * shape.steps * pooledPixels(shape) * words) / 256),
    { spikes: 'read u32', pooled: isMax ? 'write u32' : 'write f32' },
    `${constants({
      WORDS: words,
      STEPS: shape.steps,
      WIDTH: width,
      PIXELS: height * width,
      OUT_WIDTH: Math.floor(width / size),
      OUT_PIXELS: pooledPixels(shape),
      SIZE: size,
    })}
${entryPoint('256')}
  let at = group * 256u + thread;
  if (at >= batch.samples * STEPS * OUT_PIXELS * WORDS) { return; }
  let pixel = at / WORDS % OUT_PIXELS;
  let image = at / WORDS / OUT_PIXELS;
  let first = image * PIXELS + pixel / OUT_WIDTH * SIZE * WIDTH + pixel % OUT_WIDTH * SIZE;
  ${isMax ? 'var any = 0u;' : 'var sums: array<u32, 32>;'}
  for (var i = 0u; i < SIZE * SIZE; i++) {
    let bits = spikes[(first + i / SIZE * WIDTH + i % SIZE) * WORDS + at % WORDS];
    ${isMax ? 'any |= bits;' : 'for (var c = 0u; c < 32u; c++) { sums[c] += (bits >> c) & 1u; }'}
  }
  ${isMax ? 'pooled[at] = any;' : 'for (var c = 0u; c < 32u; c++) { pooled[at * 32u + c] = f32(sums[c]) / f32(SIZE * SIZE); }'}
}
`,
  );
}
