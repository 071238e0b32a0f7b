import type { NeuronSpec } from '../../../spec.ts';
import { currentBindings, currentSource, hasParameters, type NeuronShape, neuronSource } from './current.ts';
import { constants, defineKernel, entryPoint, type Kernel, padded } from './kernel.ts';

/*
 * Recurrent neurons: x(t) = y(t) + R · s(t − 1). A group of threads is a sample, and goes through all steps: a step needs every neuron of the one
 * before. These kernels add what the recurrence does to the currents, and to the gradients of the spikes, in place; those of other neurons then
 * read them.
 */

/** What both kernels declare. `recurrent` is R, [from, to], with rows of CP. */
function source(shape: NeuronShape, neuron: NeuronSpec): string {
  return `${currentSource(shape)}${neuronSource(neuron, 1, padded(shape.channels))}
${constants({ MINE: Math.ceil(shape.channels / 256) })} // neurons of a thread
fn chargeOf(potential: f32, image: u32, channel: u32) -> f32 {
  let statistics = statisticsOf(0u, channel); // no batch norm, but rounded alike
  let current = currentOf((productAt(image, 0u, channel) - statistics.x) * statistics.y, statistics);
  return charge(potential, current, leakOf(0u, channel));
}
`;
}

/** @returns a kernel that adds R · s(t − 1) to `y` [samples, T, CP], and writes `before`: s(t − 1) as bits [samples, T, WORDS] */
export function feedBack(shape: NeuronShape, neuron: NeuronSpec): Kernel {
  return defineKernel(
    'recurrence',
    (samples) => samples,
    {
      ...currentBindings(shape),
      y: 'write f32',
      ...(hasParameters(neuron) ? { neuron: 'read f32' } : {}),
      recurrent: 'read f32',
      before: 'write u32',
    },
    `${source(shape, neuron)}
var<workgroup> words: array<atomic<u32>, ${2 * Math.ceil(shape.channels / 32)}>; // spikes of the step before, and of this one
${entryPoint('256')}
  if (group >= batch.samples) { return; }
  var potentials: array<f32, MINE>;
  for (var i = 0u; i < MINE; i++) { potentials[i] = REST; }
  for (var step = 0u; step < STEPS; step++) {
    let image = group * STEPS + step;
    let last = step % 2u * WORDS;
    let now = WORDS - last;
    workgroupBarrier();
    for (var word = thread; word < WORDS; word += 256u) {
      before[image * WORDS + word] = atomicLoad(&words[last + word]);
      atomicStore(&words[now + word], 0u);
    }
    workgroupBarrier();
    for (var i = 0u; i < MINE; i++) {
      let channel = i * 256u + thread;
      if (channel >= CHANNELS) { break; }
      var sum = 0.0;
      for (var word = 0u; word < WORDS; word++) {
        for (var bits = atomicLoad(&words[last + word]); bits != 0u; bits &= bits - 1u) {
          sum += recurrent[(word * 32u + firstTrailingBit(bits)) * CP + channel];
        }
      }
      y[image * CP + channel] += sum;
      let charged = chargeOf(potentials[i], image, channel);
      if (charged >= THRESHOLD) { atomicOr(&words[now + channel / 32u], 1u << (channel % 32u)); }
      potentials[i] = resetOf(charged);
    }
  }
}
`,
  );
}

/**
 * @returns a kernel that reads `y`, with what the recurrence has added, and adds Rᵀ · dL/dx(t + 1) to `after`, dL/ds of the steps [samples, T, CP];
 *   `charged` is room for the potentials before a reset, likewise
 */
export function feedBackward(shape: NeuronShape, neuron: NeuronSpec): Kernel {
  return defineKernel(
    'recurrence backward',
    (samples) => samples,
    {
      ...currentBindings(shape),
      ...(hasParameters(neuron) ? { neuron: 'read f32' } : {}),
      recurrent: 'read f32',
      charged: 'write f32',
      after: 'write f32',
    },
    `${source(shape, neuron)}
var<workgroup> currents: array<f32, 2u * CP>; // dL/dx of the next step, and of this one
${entryPoint('256')}
  if (group >= batch.samples) { return; }
  let alpha = alphaOf();
  var ofPotentials: array<f32, MINE>; // dL/dv, by the potential after a step
  for (var i = 0u; i < MINE; i++) {
    let channel = i * 256u + thread;
    if (channel >= CHANNELS) { break; }
    var potential = REST;
    for (var step = 0u; step < STEPS; step++) {
      let image = group * STEPS + step;
      charged[image * CP + channel] = chargeOf(potential, image, channel);
      potential = resetOf(charged[image * CP + channel]);
    }
  }
  for (var left = STEPS; left > 0u; left--) {
    let image = group * STEPS + left - 1u;
    let next = left % 2u * CP;
    let now = CP - next;
    workgroupBarrier();
    for (var i = 0u; i < MINE; i++) {
      let channel = i * 256u + thread;
      if (channel >= CHANNELS) { break; }
      let at = image * CP + channel;
      if (left < STEPS) {
        var sum = 0.0;
        for (var to = 0u; to < CHANNELS; to++) { sum += recurrent[channel * CP + to] * currents[next + to]; }
        after[at] += sum;
      }
      let ofCharged = stepBack(after[at], ofPotentials[i], charged[at], alpha).x;
      let leak = leakOf(0u, channel);
      currents[now + channel] = ofCharged * leak;
      ofPotentials[i] = ofCharged * (1 - leak);
    }
  }
}
`,
  );
}
