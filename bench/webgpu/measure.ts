import { RandomStream } from '../../src/data/simulated/random-stream.ts';
import type { Adapter } from '../../src/network/engines/webgpu/adapters.ts';
import {
  type Allocation,
  allocateArenas,
  allocateProgram,
  ComputeDevice,
  PreparedProgram,
  sliceSamples,
} from '../../src/network/engines/webgpu/device.ts';
import { constants, defineKernel, entryPoint } from '../../src/network/engines/webgpu/kernels/kernel.ts';
import type { NetworkPlan } from '../../src/network/engines/webgpu/plan.ts';
import { type Pass, Program } from '../../src/network/engines/webgpu/program.ts';
import { costOf } from './costs.ts';
import type { Measured } from './roofline.ts';

/** Threads of a dispatch of `multiplyAdds`, and the values of 4 bytes that are copied. */
const THREADS = 2 ** 20;
const COPIED = 2 ** 25;

/** Runs of everything, of which the first is not timed; and, without timestamps, the most of a dispatch one after the other. */
const RUNS = 4;
const REPEATS = 20;

/** Each thread has eight sums of four values, enough to hide the latency. The compiler does not know that what it reads is 0. */
const multiplyAdds = (rounds: number) => {
  const sums = [...'abcdefgh'];
  return defineKernel(
    'fused multiply-adds',
    () => THREADS / 256,
    { from_: 'read f32', to: 'write f32' },
    `${constants({ ROUNDS: rounds })}
${entryPoint('256')}
  let factor = vec4f(0.999 + from_[thread]);
  ${sums.map((sum, i) => `var ${sum} = factor * ${i + 1}.0;`).join(' ')}
  for (var round = 0u; round < ROUNDS; round++) {
    ${sums.map((sum) => `${sum} = fma(${sum}, factor, factor);`).join(' ')}
  }
  to[group * 256u + thread] = dot(${sums.join(' + ')}, factor);
}
`,
    2 * 4 * sums.length * rounds * THREADS,
  );
};

const copy = defineKernel(
  'copying',
  () => COPIED / 4 / 256,
  { from_: 'read vec4f', to: 'write vec4f' },
  `${entryPoint('256')}
  to[group * 256u + thread] = from_[group * 256u + thread];
}
`,
);

/** Adam then changes nothing. */
const zeroStep = { stepSize: 0, correction: 1 };

type Arenas = Awaited<ReturnType<typeof allocateArenas>>;

/** Bits of GPUBufferUsage, whose names only browsers define. */
const [COPY_SOURCE, QUERY_RESOLVE] = [4, 512];

/** What comes from one of these crashes the process if it is collected before. */
const kept: GPU[] = [];

/** A device with timestamps, if it has them: to the nanosecond, where a browser would round. */
async function openDevice({ name, limits }: Adapter): Promise<GPUDevice> {
  const { create } = await import('webgpu');
  const gpu: GPU = create([`adapter=${name}`, 'disable-dawn-features=timestamp_quantization']);
  kept.push(gpu);
  const found = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (found === null) throw new Error(`${name} is gone`);
  const requiredFeatures = found.features.has('timestamp-query') ? (['timestamp-query'] as const) : [];
  return found.requestDevice({ requiredLimits: { ...limits }, requiredFeatures: [...requiredFeatures] });
}

/** Times each dispatch of a training step, and what the device can do at most. @throws {ReproError} `gpu-limit` */
export async function measure(
  adapter: Adapter,
  plan: NetworkPlan,
  program: Program,
  samples: number,
): Promise<Measured> {
  const device = new ComputeDevice(await openDevice(adapter));
  const perSlice = sliceSamples(program, device.mostBytes);
  if (perSlice < samples) throw new Error(`at most ${perSlice} samples fit into one buffer of this GPU`);
  const arenas = await allocateArenas(device, plan.parameters.sizes);
  const hasTimestamps = device.device.features.has('timestamp-query');
  const time = (program: Program, allocation: Allocation): Promise<number[]> =>
    hasTimestamps
      ? timeTogether(device, program, allocation, arenas)
      : timeAlone(device, program, allocation, arenas);

  const ceiling = async (kernel: Pass['kernel'], values: number): Promise<number> => {
    const simple = new Program();
    const space = (name: string) => simple.space('fixed', name, values);
    const buffers = { from_: space('from'), to: space('to') };
    for (let i = 0; i < 3; i++) simple.add('batch', '', kernel, buffers);
    const allocation = await allocateProgram(device, simple, 1, 1);
    const times = await time(simple, allocation);
    for (const buffer of [...allocation.buffers.values()].flat()) buffer.destroy();
    return Math.min(...times);
  };
  let multiplied = 0;
  // What is no load for a GPU takes minutes on a device in software.
  for (let rounds = 32, took = 0; rounds <= 8192 && took < 20; rounds *= 16) {
    const kernel = multiplyAdds(rounds);
    took = await ceiling(kernel, THREADS);
    multiplied = Math.max(multiplied, kernel.flop / took);
  }
  const copied = (8 * COPIED) / (await ceiling(copy, COPIED));

  const allocation = await allocateProgram(device, program, samples, samples);
  await fill(device, plan, allocation, arenas);
  const times = await time(program, allocation);
  device.device.destroy();
  const passes = program.phases.flatMap((phase) => phase.passes);
  return {
    ...{ samples, clock: hasTimestamps ? 'timestamps' : 'each alone' },
    ...{ flops: 1e3 * multiplied, bandwidth: 1e3 * copied },
    passes: passes.map((pass, i) => ({
      ...{ kernel: pass.kernel.name, label: pass.label, milliseconds: times[i] ?? Number.NaN },
      ...costOf(pass, samples),
    })),
  };
}

/** Numbers like those of a training: a GPU that computes with zeros takes less power, and runs faster. */
async function fill(
  device: ComputeDevice,
  { parameters }: NetworkPlan,
  { buffers }: Allocation,
  arenas: Arenas,
): Promise<void> {
  const random = new RandomStream(['bench', 'webgpu']);
  const write = (buffer: GPUBuffer | undefined, values: Float32Array | Uint8Array) =>
    buffer && device.device.queue.writeBuffer(buffer, 0, values);
  await device.guard(() => {
    const values = Float32Array.from({ length: parameters.sizes.values }, () => random.between(-2, 2));
    write(arenas.get('values'), values);
    for (const [name, [buffer]] of buffers) {
      if (buffer === undefined) continue;
      if (name === 'given')
        write(
          buffer,
          Uint8Array.from({ length: buffer.size }, () => Number(random.chance(0.06))),
        );
      if (name.startsWith('mask ')) write(buffer, new Float32Array(buffer.size / 4).fill(1));
    }
  });
}

/** Milliseconds of each dispatch of a whole program, by the GPU's own clock: the shortest of several runs. */
async function timeTogether(
  device: ComputeDevice,
  program: Program,
  allocation: Allocation,
  arenas: Arenas,
): Promise<number[]> {
  const prepared = await PreparedProgram.prepare(device, program, allocation, arenas);
  const count = program.phases.reduce((sum, { passes }) => sum + passes.length, 0);
  // The last dispatch is followed by a pass without any.
  const querySet = device.device.createQuerySet({ type: 'timestamp', count: 2 * count + 2 });
  const buffer = device.device.createBuffer({ size: 8 * querySet.count, usage: QUERY_RESOLVE | COPY_SOURCE });
  const shortest = Array.from({ length: count }, () => Number.POSITIVE_INFINITY);
  for (let run = 0; run <= RUNS; run++) {
    let next = 0;
    const clock = (): GPUComputePassDescriptor => ({
      timestampWrites: { querySet, beginningOfPassWriteIndex: next++, endOfPassWriteIndex: next++ },
    });
    await device.guard(() => {
      prepared.submit(allocation.samples, zeroStep, clock);
      const encoder = device.device.createCommandEncoder();
      encoder.resolveQuerySet(querySet, 0, querySet.count, buffer, 0);
      device.device.queue.submit([encoder.finish()]);
    });
    const [read] = await device.read([{ buffer, bytes: buffer.size }]);
    const stamps = new BigUint64Array(read as ArrayBuffer);
    if (run === 0) continue;
    for (let i = 0; i < count; i++) {
      const nanoseconds = Number((stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n));
      shortest[i] = Math.min(shortest[i] ?? 0, nanoseconds / 1e6);
    }
  }
  prepared.dispose();
  return shortest;
}

/** Without timestamps: each dispatch alone, so often one after the other that submitting and waiting hardly count. */
async function timeAlone(
  device: ComputeDevice,
  program: Program,
  allocation: Allocation,
  arenas: Arenas,
): Promise<number[]> {
  const times: number[] = [];
  for (const { label, kernel, buffers } of program.phases.flatMap(({ passes }) => passes)) {
    let shortest = Number.POSITIVE_INFINITY;
    let repeats = 1;
    for (let run = 0; run <= RUNS; run++) {
      const alone = new Program();
      for (let i = 0; i < repeats; i++) alone.add('slice', label, kernel, buffers);
      const prepared = await PreparedProgram.prepare(device, alone, allocation, arenas);
      const start = performance.now();
      await device.guard(() => prepared.submit(allocation.samples, zeroStep));
      await device.device.queue.onSubmittedWorkDone();
      const milliseconds = (performance.now() - start) / repeats;
      prepared.dispose();
      if (run > 0) shortest = Math.min(shortest, milliseconds);
      repeats = Math.max(1, Math.min(REPEATS, Math.round(100 / milliseconds)));
    }
    times.push(shortest);
  }
  return times;
}
