import {
  allocateProgram,
  ComputeDevice,
  PreparedProgram,
  slicesOf,
} from '../../../src/engines/webgpu/device.ts';
import { type Kernel, padded } from '../../../src/engines/webgpu/kernels/kernel.ts';
import { Program } from '../../../src/engines/webgpu/program.ts';
import { randomArray, randomNumbers } from '../../support/random.ts';
import { openDevice } from './support.ts';

type Values = Float32Array | Uint32Array | Int32Array;

/** A buffer's contents before and after a kernel: one buffer for the whole batch, or divided over its slices. */
interface Contents<Data extends Values = Values> {
  readonly kind: 'fixed' | 'kept';
  readonly data: Data;
}

export const whole = <Data extends Values>(data: Data): Contents<Data> => ({ kind: 'fixed', data });
export const bySample = <Data extends Values>(data: Data): Contents<Data> => ({ kind: 'kept', data });
/** What a kernel has to write: a value that it leaves out is not close to anything. */
export const unwritten = (length: number): Float32Array => new Float32Array(length).fill(Number.NaN);

let compute: ComputeDevice | undefined;

/** Sizes that divide nothing: 3 samples, in slices of 2 and 1. */
export const SAMPLES = 3;
const SLICE = 2;

/** Runs a kernel slice by slice, or once if no buffer is divided over them. @returns what its buffers hold then */
export async function runKernel<Buffers extends Readonly<Record<string, Contents>>>(
  kernel: Kernel,
  buffers: Buffers,
  values = { stepSize: 0, correction: 1 },
): Promise<{ [Name in keyof Buffers]: Buffers[Name]['data'] }> {
  compute ??= new ComputeDevice(openDevice());
  const { queue } = compute.device;
  const program = new Program();
  const names = Object.keys(kernel.bindings);
  const contentsOf = (name: string): Contents => {
    const contents = buffers[name];
    if (contents === undefined) throw new Error(`${kernel.name} has a buffer ${name}`);
    return contents;
  };
  const spaces = names.map((name) => {
    const { kind, data } = contentsOf(name);
    return [name, program.space(kind, name, data.length / (kind === 'kept' ? SAMPLES : 1))] as const;
  });
  const isDivided = names.some((name) => contentsOf(name).kind === 'kept');
  program.add(isDivided ? 'slice' : 'batch', { kernel, label: 'test', buffers: Object.fromEntries(spaces) });
  const allocation = await allocateProgram(compute, program, SAMPLES, SLICE);
  const prepared = await PreparedProgram.prepare(compute, program, allocation, new Map());
  const parts = names.flatMap((name) => {
    const { kind, data } = contentsOf(name);
    const made = allocation.buffers.get(name) ?? [];
    let end = 0;
    return made.map((buffer, slice) => {
      const share = kind === 'fixed' ? 1 : (slicesOf(SAMPLES, SLICE)[slice] ?? 0) / SAMPLES;
      end += data.length * share;
      const part = data.subarray(end - data.length * share, end);
      queue.writeBuffer(buffer, 0, part);
      return { name, buffer, bytes: part.byteLength };
    });
  });
  await compute.guard(() => prepared.submit(SAMPLES, values));
  const found = await compute.read(parts);
  prepared.dispose();
  for (const { buffer } of parts) buffer.destroy();
  const results: Record<string, Values> = {};
  for (const name of names) {
    const bytes = Buffer.concat(
      found.flatMap((one, i) => (parts[i]?.name === name ? [new Uint8Array(one)] : [])),
    );
    const { data } = contentsOf(name);
    const copy = new Uint8Array(bytes).buffer;
    results[name] =
      data instanceof Float32Array
        ? new Float32Array(copy)
        : data instanceof Uint32Array
          ? new Uint32Array(copy)
          : new Int32Array(copy);
  }
  return results as { [Name in keyof Buffers]: Buffers[Name]['data'] };
}

/** Random numbers, laid out as activations and parameters are: rows of channels, and zeros behind them. */
export function rows(
  count: number,
  channels: number,
  seed: number,
  make?: (u: number) => number,
): Float32Array {
  const random = randomArray(count * channels, randomNumbers(seed), make);
  const values = new Float32Array(count * padded(channels));
  random.forEach((value, i) => {
    values[Math.floor(i / channels) * padded(channels) + (i % channels)] = value;
  });
  return values;
}

/** Zeros and ones as bits: a word is 32 of them. */
export function toBits(values: ArrayLike<number>): Uint32Array {
  const words = new Uint32Array(values.length / 32);
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== 0) words[i >> 5] = ((words[i >> 5] ?? 0) | (1 << (i & 31))) >>> 0;
  }
  return words;
}

/** A function of each place as numbers in double precision. */
export const each = (length: number, value: (i: number) => number): Float64Array =>
  Float64Array.from({ length }, (_, i) => value(i));

export function sum(count: number, value: (i: number) => number): number {
  let all = 0;
  for (let i = 0; i < count; i++) all += value(i);
  return all;
}

/** `[parts, size]` summed over the parts. */
export const sumOfParts = (parts: Float32Array, size: number): Float64Array =>
  each(size, (i) => sum(parts.length / size, (part) => parts[part * size + i] ?? Number.NaN));
