import { type NetworkSpec, repeatedSteps } from '../../snn/spec.ts';
import type {
  NativeForward,
  NativeFrames,
  NativeNetwork,
  NativeSlot,
  NativeStepOptions,
} from '../native/addon-types.ts';
import {
  type Allocation,
  allocateProgram,
  type ComputeDevice,
  OutOfGpuMemory,
  PreparedProgram,
  sliceSamples,
  slicesOf,
} from './device.ts';
import type { BatchKind } from './forward.ts';
import { NetworkPlan } from './plan.ts';
import type { Arena, Program } from './program.ts';

const arenaOf = { value: 'values', first: 'first', second: 'second', gradient: 'gradients' } as const;

interface Ready {
  readonly allocation: Allocation;
  readonly prepared: PreparedProgram;
}

/** A network on a GPU, behind the same interface as the compiled addon's. A step is one submission; it cannot be aborted midway. */
export class WebgpuNetwork implements NativeNetwork {
  readonly #device: ComputeDevice;
  readonly #spec: NetworkSpec;
  readonly #plan: NetworkPlan;
  readonly #arenas: ReadonlyMap<Arena, GPUBuffer>;
  readonly #programs = new Map<string, Program>();
  /** The buffers of the last kind and size of batch in training, and in evaluation. */
  readonly #ready = new Map<'training' | 'evaluation', Ready & { readonly key: string }>();
  #isAborted = false;

  private constructor(
    device: ComputeDevice,
    spec: NetworkSpec,
    plan: NetworkPlan,
    arenas: ReadonlyMap<Arena, GPUBuffer>,
  ) {
    this.#device = device;
    this.#spec = spec;
    this.#plan = plan;
    this.#arenas = arenas;
  }

  /** @throws {ShapeError} if the layers come in an order that this engine does not compute */
  static async open(device: ComputeDevice, spec: NetworkSpec): Promise<WebgpuNetwork> {
    const plan = new NetworkPlan(spec);
    const { values, running } = plan.parameters.sizes;
    const names = ['values', 'gradients', 'first', 'second', 'running'] as const;
    const buffers = await device.allocate(names.map((name) => 4 * (name === 'running' ? running : values)));
    return new WebgpuNetwork(
      device,
      spec,
      plan,
      new Map(names.map((name, i) => [name, buffers[i] as GPUBuffer])),
    );
  }

  async setTensor(name: string, slot: NativeSlot, data: Float32Array): Promise<void> {
    const { arena, place } = this.#plan.parameters.layoutOf(name);
    const target = this.#arenas.get(arena === 'running' ? 'running' : arenaOf[slot]) as GPUBuffer;
    const [from, to] = rangeOf(data.length, place);
    const values = new Float32Array(to - from);
    data.forEach((value, i) => {
      values[place(i) - from] = value;
    });
    this.#device.device.queue.writeBuffer(target, 4 * from, values);
  }

  async getTensor(name: string, slot: NativeSlot | 'gradient'): Promise<Float32Array> {
    const { arena, count, place } = this.#plan.parameters.layoutOf(name);
    const source = this.#arenas.get(arena === 'running' ? 'running' : arenaOf[slot]) as GPUBuffer;
    const [from, to] = rangeOf(count, place);
    const [bytes] = await this.#device.read([{ buffer: source, offset: 4 * from, bytes: 4 * (to - from) }]);
    const values = new Float32Array(bytes as ArrayBuffer);
    return Float32Array.from({ length: count }, (_, i) => values[place(i) - from] as number);
  }

  bytesFor(samples: number, steps: number, training: boolean): number {
    const program = this.#program(this.#kindOf(steps, 'uint8', training ? defaults : undefined));
    return program.countBytes(samples, this.#slice(program, samples));
  }

  async trainStep(
    frames: NativeFrames,
    samples: number,
    steps: number,
    labels: Int32Array,
    masks: readonly Float32Array[],
    { learningRate, lambda, regularise, loss, step }: NativeStepOptions,
  ): Promise<NativeForward & { readonly loss: number }> {
    this.#isAborted = false;
    const isRegularised = lambda !== 0;
    const ready = await this.#prepare(
      samples,
      this.#kindOf(steps, typeOf(frames), { loss, regularise, isRegularised }),
    );
    this.#write(ready, 'given', frames, samples);
    this.#write(ready, 'labels', labels, samples);
    masks.forEach((mask, i) => {
      this.#write(ready, `mask ${i}`, mask, samples);
    });
    if (this.#isAborted) throw aborted();
    const stepSize = learningRate / (1 - 0.9 ** step);
    const forward = await this.#run(ready, samples, steps, {
      stepSize,
      correction: Math.sqrt(1 - 0.999 ** step),
      lambda,
    });
    const error = meanSquaredError(
      loss === 'rate' ? forward.rates : forward.outputs,
      labels,
      this.#spec.classes,
    );
    return { ...forward, loss: error + (isRegularised ? lambda * (await this.#tauVariance(ready)) : 0) };
  }

  async evaluate(frames: NativeFrames, samples: number, steps: number): Promise<NativeForward> {
    this.#isAborted = false;
    const ready = await this.#prepare(samples, this.#kindOf(steps, typeOf(frames), undefined));
    this.#write(ready, 'given', frames, samples);
    if (this.#isAborted) throw aborted();
    return this.#run(ready, samples, steps, { stepSize: 0, correction: 1, lambda: 0 });
  }

  abort(): void {
    this.#isAborted = true;
  }

  dispose(): void {
    this.abort();
    this.#release('training');
    this.#release('evaluation');
    for (const buffer of this.#arenas.values()) buffer.destroy();
  }

  #kindOf(steps: number, type: BatchKind['type'], training: BatchKind['training']): BatchKind {
    return { steps, frameSteps: repeatedSteps(this.#spec) === undefined ? steps : 1, type, training };
  }

  #program(kind: BatchKind): Program {
    const key = JSON.stringify(kind);
    const known = this.#programs.get(key) ?? this.#plan.program(kind);
    this.#programs.set(key, known);
    return known;
  }

  /** The samples of a slice. @throws {OutOfGpuMemory} if not even one fits into what the device can bind */
  #slice(program: Program, samples: number): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#device.device.limits;
    const most = sliceSamples(program, Math.min(maxStorageBufferBindingSize, maxBufferSize));
    if (most < 1)
      throw new OutOfGpuMemory('one sample of this network is larger than a buffer of this GPU may be');
    return Math.min(samples, most);
  }

  async #prepare(samples: number, kind: BatchKind): Promise<Ready> {
    const slot = kind.training === undefined ? 'evaluation' : 'training';
    const key = JSON.stringify([samples, kind]);
    const known = this.#ready.get(slot);
    if (known?.key === key) return known;
    this.#release(slot);
    const program = this.#program(kind);
    const perSlice = this.#slice(program, samples);
    const allocation = await allocateProgram(this.#device, program, samples, perSlice);
    try {
      const prepared = await PreparedProgram.prepare(
        this.#device,
        program,
        allocation,
        this.#arenas,
        samples,
      );
      const ready = { key, allocation, prepared };
      this.#ready.set(slot, ready);
      return ready;
    } catch (error) {
      destroy(allocation);
      throw error;
    }
  }

  #release(slot: 'training' | 'evaluation'): void {
    const known = this.#ready.get(slot);
    this.#ready.delete(slot);
    if (known === undefined) return;
    known.prepared.dispose();
    destroy(known.allocation);
  }

  /** Divides what is given for each sample over the slices. */
  #write({ allocation }: Ready, name: string, data: NativeFrames | Int32Array, samples: number): void {
    const ofSample = data.length / samples;
    let first = 0;
    slicesOf(samples, allocation.sliceSamples).forEach((count, slice) => {
      const part = data.subarray(first * ofSample, (first + count) * ofSample);
      const target = allocation.buffers.get(name)?.[slice];
      if (target !== undefined) this.#device.device.queue.writeBuffer(target, 0, wholeWords(part));
      first += count;
    });
  }

  async #run(
    { allocation, prepared }: Ready,
    samples: number,
    steps: number,
    values: Parameters<PreparedProgram['submit']>[1],
  ): Promise<NativeForward> {
    const { buffers } = allocation;
    const counts = this.#plan.blocks.map(({ neuron }) => buffers.get(`${neuron.name} count`) ?? []);
    const zero = new Uint32Array(1);
    for (const buffer of counts.flat()) this.#device.device.queue.writeBuffer(buffer, 0, zero);
    await prepared.submit(samples, values);
    const { classes } = this.#spec;
    const slices = slicesOf(samples, allocation.sliceSamples);
    const parts = (name: string, ofSample: number) =>
      slices.map((count, i) => ({
        buffer: buffers.get(name)?.[i] as GPUBuffer,
        bytes: 4 * ofSample * count,
      }));
    const read = await this.#device.read([
      ...parts('rates', classes),
      ...parts('outputs', steps * classes),
      ...counts.flat().map((buffer) => ({ buffer, bytes: 4 })),
    ]);
    const spikes = read.slice(2 * slices.length).map((bytes) => new Uint32Array(bytes)[0] as number);
    return {
      rates: joined(read.slice(0, slices.length)),
      outputs: joined(read.slice(slices.length, 2 * slices.length)),
      spikeRates: Float64Array.from(this.#plan.blocks, ({ fired }, i) => {
        const sum = spikes
          .slice(i * slices.length, (i + 1) * slices.length)
          .reduce((all, one) => all + one, 0);
        return sum / (samples * steps * fired.channels * fired.height * fired.width);
      }),
    };
  }

  /** Σ over layers of the variance that the regulariser weighs. */
  async #tauVariance({ allocation }: Ready): Promise<number> {
    const moments = this.#plan.regularised.map(({ neuron }) => ({
      buffer: allocation.buffers.get(`${neuron.name} moments`)?.[0] as GPUBuffer,
      offset: 4,
      bytes: 4,
    }));
    const read = await this.#device.read(moments);
    return read.reduce((sum, bytes) => sum + (new Float32Array(bytes)[0] as number), 0);
  }
}

function destroy({ buffers }: Allocation): void {
  for (const buffer of [...buffers.values()].flat()) buffer.destroy();
}

const defaults = { loss: 'rate', regularise: 'w', isRegularised: false } as const;

function aborted(): Error {
  return Object.assign(new Error('the step was aborted'), { code: 'PLIF_ABORTED' });
}

function typeOf(frames: NativeFrames): BatchKind['type'] {
  return frames instanceof Uint8Array ? 'uint8' : frames instanceof Uint16Array ? 'uint16' : 'float32';
}

/** The smallest range of places that has all values. */
function rangeOf(count: number, place: (i: number) => number): [number, number] {
  let [from, to] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < count; i++) {
    from = Math.min(from, place(i));
    to = Math.max(to, place(i) + 1);
  }
  return [from, to];
}

/** Buffers are written in words of 4 bytes. */
function wholeWords(part: NativeFrames | Int32Array): NativeFrames | Int32Array | Uint8Array {
  if (part.byteLength % 4 === 0) return part;
  const bytes = new Uint8Array(4 * Math.ceil(part.byteLength / 4));
  bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return bytes;
}

function joined(parts: readonly ArrayBuffer[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { byteLength }) => sum + byteLength / 4, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Float32Array(part), at);
    at += part.byteLength / 4;
  }
  return all;
}

/** Against one-hot labels, over samples, classes and, if there are any, steps. @param scores [N, classes] or [N, T, classes] */
function meanSquaredError(scores: Float32Array, labels: Int32Array, classes: number): number {
  const ofSample = scores.length / labels.length;
  let sum = 0;
  scores.forEach((score, i) => {
    const isLabel = i % classes === labels[Math.floor(i / ofSample)];
    sum += (score - (isLabel ? 1 : 0)) ** 2;
  });
  return sum / scores.length;
}
