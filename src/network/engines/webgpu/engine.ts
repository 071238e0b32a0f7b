import { countElements } from '../../../formats/tensor.ts';
import type { Engine, NeuronPass, NeuronPassResult } from '../engine.ts';
import { NativeSession } from '../native/session.ts';
import type { Gpu } from './adapters.ts';
import { allocateProgram, ComputeDevice, PreparedProgram } from './device.ts';
import { hasParameters, type NeuronShape } from './kernels/current.ts';
import { fireKernel } from './kernels/fire.ts';
import { backwardParts, fireBackward, sampleParts, sumRows } from './kernels/fire-backward.ts';
import { padded } from './kernels/kernel.ts';
import { WebgpuNetwork } from './network.ts';
import { kernelDigest } from './plan.ts';
import { Program } from './program.ts';

/** The engine of WGSL kernels, on any device of WebGPU. Results are the same every time on one device and driver. */
export function createWebgpuEngine(
  { device, identity }: Pick<Gpu, 'device' | 'identity'>,
  reason: string,
): Engine {
  const compute = new ComputeDevice(device);
  // How much memory a GPU has left is not known beforehand: it refuses what it does not have.
  const available = Number.POSITIVE_INFINITY;
  return {
    description: { name: 'webgpu', backend: 'gpu', version: `${kernelDigest()} ${identity}`, reason },
    open: (spec, state, optimiser) => {
      const memory = { available: () => available };
      return NativeSession.open(spec, (of) => WebgpuNetwork.open(compute, of), state, optimiser, memory);
    },
    runNeurons: (pass) => runNeurons(compute, pass),
  };
}

/** One layer of neurons forward and backward, with the kernels of training: `Engine.runNeurons`. */
async function runNeurons(device: ComputeDevice, pass: NeuronPass): Promise<NeuronPassResult> {
  const [steps = 1, samples = 1, ...neurons] = pass.shape;
  const size = countElements(neurons);
  const cp = padded(size);
  const isLearned = pass.neuron.kind === 'plif' && pass.logits !== undefined;
  const perNeuron = isLearned && pass.logits?.length !== 1;
  const neuron = {
    ...pass.neuron,
    kind: isLearned ? 'plif' : 'lif',
    tau: { ...pass.neuron.tau, per: perNeuron ? 'neuron' : 'layer' },
  } as const;
  const shape: NeuronShape = {
    ...{ channels: size, height: 1, width: 1, steps, currentSteps: steps },
    ...{ norm: false, statistics: 'by step', current: { kind: 'stored' } },
  };
  const program = new Program();
  const kept = (name: string) => program.space('kept', name, steps * cp);
  const [y, after, result, potentials] = [kept('y'), kept('after'), kept('result'), kept('potentials')];
  const spikes = program.space('kept', 'spikes', (steps * cp) / 32);
  const parameters = [
    ...(pass.logits ?? []),
    ...(neuron.surrogate.learnable ? [neuron.surrogate.alpha] : []),
  ];
  const logits = perNeuron ? cp : isLearned ? 1 : 0;
  const given = hasParameters(neuron) ? { neuron: program.space('fixed', 'neuron', logits + 1) } : {};
  const rows = sumRows(shape);
  program.add('batch', 'neurons', fireKernel(shape, neuron, { potentials: true }), {
    y,
    ...given,
    spikes,
    counts: program.space('kept', 'count', 1),
    potentials,
  });
  program.add('batch', 'neurons', fireBackward(shape, neuron, undefined, 'current'), {
    ...{ y, ...given, after, result },
    parts: program.space('fixed', 'parts', backwardParts(shape) * rows * cp),
    logitParts: program.space('fixed', 'logits', sampleParts(shape) * cp),
  });
  const allocation = await allocateProgram(device, program, samples, samples);
  const buffer = (name: string) => allocation.buffers.get(name)?.[0] as GPUBuffer;
  const prepared = await PreparedProgram.prepare(device, program, allocation, new Map());
  try {
    // [T, N, neurons] to [N, T, CP] and back.
    const place = (i: number) => {
      const [step, sample] = [Math.floor(i / size / samples), Math.floor(i / size) % samples];
      return (sample * steps + step) * cp + (i % size);
    };
    const write = (name: string, data: Float32Array, at: (i: number) => number, length: number) => {
      const values = new Float32Array(length);
      data.forEach((value, i) => {
        values[at(i)] = value;
      });
      device.device.queue.writeBuffer(buffer(name), 0, values);
    };
    const length = samples * steps * cp;
    write('y', pass.current, place, length);
    write('after', pass.coefficients, place, length);
    if (hasParameters(neuron)) {
      const learned = Float32Array.from(parameters);
      write('neuron', learned, (i) => (i < (pass.logits?.length ?? 0) && isLearned ? i : logits), logits + 1);
    }
    await device.guard(() => prepared.submit(samples, { stepSize: 0, correction: 1 }));
    prepared.dispose();
    const read = await device.read([
      ...['potentials', 'result'].map((name) => ({ buffer: buffer(name), bytes: 4 * length })),
      { buffer: buffer('spikes'), bytes: length / 8 },
      { buffer: buffer('parts'), bytes: 4 * backwardParts(shape) * rows * cp },
      { buffer: buffer('logits'), bytes: 4 * sampleParts(shape) * cp },
    ]);
    const floats = (i: number) => new Float32Array(read[i] as ArrayBuffer);
    const [potentialValues, currentValues, parts, ofLogits] = [floats(0), floats(1), floats(3), floats(4)];
    const words = new Uint32Array(read[2] as ArrayBuffer);
    const ordered = (values: (at: number) => number) =>
      Float32Array.from({ length: pass.current.length }, (_, i) => values(place(i)));
    // Sums that are parts: [parts, rows, CP], and [sample parts, CP].
    const rowSum = (row: number) =>
      parts.reduce((sum, value, i) => (Math.floor(i / cp) % rows === row ? sum + value : sum), 0);
    const logitSum = (i: number) =>
      ofLogits.reduce((sum, value, at) => (at % cp === i ? sum + value : sum), 0);
    return {
      spikes: ordered((at) => ((words[at >> 5] as number) >>> (at & 31)) & 1),
      potentials: ordered((at) => potentialValues[at] as number),
      gradients: {
        current: ordered((at) => currentValues[at] as number),
        alpha: rowSum(0),
        logits: !isLearned
          ? undefined
          : perNeuron
            ? Float32Array.from({ length: size }, (_, i) => logitSum(i))
            : Float32Array.of(rowSum(1)),
      },
    };
  } finally {
    for (const one of [...allocation.buffers.values()].flat()) one.destroy();
  }
}
