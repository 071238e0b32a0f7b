import type { NetworkSpec } from '../../spec.ts';
import type {
  NativeForward,
  NativeFrames,
  NativeNetwork,
  NativeSlot,
  NativeStepOptions,
} from '../native/addon-types.ts';
import {
  type Allocation,
  allocateArenas,
  allocateProgram,
  type BatchValues,
  type ComputeDevice,
  PreparedProgram,
  sliceSamples,
  slicesOf,
  tooLarge,
} from './device.ts';
import { type BatchKind, plainTraining } from './forward.ts';
import { NetworkPlan } from './plan.ts';
import type { Arena, Program } from './program.ts';

const arenaOf = { value: 'values', first: 'first', second: 'second', gradient: 'gradients' } as const;

/** About what an evaluation takes at once. */
const EVALUATION_BYTES = 2 ** 28;

interface Ready {
  readonly allocation: Allocation;
  readonly prepared: PreparedProgram;
}

/** A network on a GPU, behind the same interface as the compiled addon's. A step cannot be aborted midway. */
export class WebgpuNetwork implements NativeNetwork {
  readonly #device: ComputeDevice;
  readonly #spec: NetworkSpec;
  readonly #plan: NetworkPlan;
  readonly #arenas: ReadonlyMap<Arena, GPUBuffer>;
  readonly #programs = new Map<string, Program>();
  /** The buffers of the last kind of batch in training, and in evaluation; smaller batches use them, too. */
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

  /**
   * @throws {ShapeError} if the layers come in an order that this engine does not compute
   * @throws {ReproError} `gpu-limit` if the device cannot bind the parameters
   */
  static async open(device: ComputeDevice, spec: NetworkSpec): Promise<WebgpuNetwork> {
    const plan = new NetworkPlan(spec);
    const { sizes } = plan.parameters;
    const bytes = 4 * sizes.values;
    if (bytes > device.mostBytes) throw tooLarge('"parameters"', bytes, device.mostBytes);
    return new WebgpuNetwork(device, spec, plan, await allocateArenas(device, sizes));
  }

  async setTensor(name: string, slot: NativeSlot, data: Float32Array): Promise<void> {
    const { arena, from, to, place } = this.#plan.parameters.layoutOf(name);
    const target = this.#arenas.get(arena === 'running' ? 'running' : arenaOf[slot]) as GPUBuffer;
    const values = new Float32Array(to - from);
    for (let i = 0; i < data.length; i++) values[place(i) - from] = data[i] as number;
    await this.#device.guard(() => this.#device.device.queue.writeBuffer(target, 4 * from, values));
  }

  async getTensor(name: string, slot: NativeSlot | 'gradient'): Promise<Float32Array> {
    const { arena, count, from, to, place } = this.#plan.parameters.layoutOf(name);
    const source = this.#arenas.get(arena === 'running' ? 'running' : arenaOf[slot]) as GPUBuffer;
    const [bytes] = await this.#device.read([{ buffer: source, offset: 4 * from, bytes: 4 * (to - from) }]);
    const read = new Float32Array(bytes as ArrayBuffer);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = read[place(i) - from] as number;
    return values;
  }

  bytesFor(samples: number, steps: number, training: boolean): number {
    const program = this.#program({ steps, type: 'uint8', training: training ? plainTraining : undefined });
    return program.countBytes(samples, this.#slice(program, samples, training));
  }

  async trainStep(
    frames: NativeFrames,
    samples: number,
    steps: number,
    labels: Int32Array,
    masks: readonly Float32Array[],
    { learningRate, tauRate, lambdas, regularise, loss, step }: NativeStepOptions,
  ): Promise<NativeForward & { readonly loss: number }> {
    const training = { loss, regularise, lambdas: [...lambdas], tauRate };
    const kind = { steps, type: typeOf(frames), training };
    const values = {
      stepSize: learningRate / (1 - 0.9 ** step),
      correction: Math.sqrt(1 - 0.999 ** step),
    };
    const inputs = {
      given: frames,
      labels,
      ...Object.fromEntries(masks.map((mask, i) => [`mask ${i}`, mask])),
    };
    const { penalty, ...forward } = await this.#run(samples, kind, inputs, values);
    const scores = loss === 'rate' ? forward.rates : forward.outputs;
    const error = meanSquaredError(scores, labels, this.#spec.classes);
    return { ...forward, loss: error + penalty };
  }

  async evaluate(frames: NativeFrames, samples: number, steps: number): Promise<NativeForward> {
    const kind = { steps, type: typeOf(frames), training: undefined };
    const values = { stepSize: 0, correction: 1 };
    const { penalty: _, ...forward } = await this.#run(samples, kind, { given: frames }, values);
    return forward;
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

  #program(kind: BatchKind): Program {
    const key = JSON.stringify(kind);
    const known = this.#programs.get(key) ?? this.#plan.program(kind);
    this.#programs.set(key, known);
    return known;
  }

  /** The samples of a slice. @throws {ReproError} `gpu-limit` */
  #slice(program: Program, samples: number, isTraining: boolean): number {
    const most = sliceSamples(program, this.#device.mostBytes);
    // Evaluation keeps nothing from slice to slice: small ones leave the memory to training, whose buffers stay beside them.
    const small = Math.ceil(EVALUATION_BYTES / program.countBytes(1, 1));
    return Math.min(samples, most, isTraining ? samples : small);
  }

  async #prepare(samples: number, kind: BatchKind): Promise<Ready> {
    const slot = kind.training === undefined ? 'evaluation' : 'training';
    const key = JSON.stringify(kind);
    const known = this.#ready.get(slot);
    if (known?.key === key && samples <= known.allocation.samples) return known;
    this.#release(slot);
    const program = this.#program(kind);
    const perSlice = this.#slice(program, samples, slot === 'training');
    const allocation = await allocateProgram(this.#device, program, samples, perSlice);
    try {
      const prepared = await PreparedProgram.prepare(this.#device, program, allocation, this.#arenas);
      if (this.#isAborted) {
        prepared.dispose();
        throw aborted();
      }
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

  /** One batch. @param inputs by the names of their spaces. @returns also the regulariser's part of the loss */
  async #run(
    samples: number,
    kind: BatchKind,
    inputs: Readonly<Record<string, NativeFrames | Int32Array>>,
    values: BatchValues,
  ): Promise<NativeForward & { readonly penalty: number }> {
    this.#isAborted = false;
    const ready = await this.#prepare(samples, kind);
    if (this.#isAborted) throw aborted();
    const { allocation, prepared } = ready;
    const { blocks } = this.#plan;
    const { classes } = this.#spec;
    const slices = slicesOf(samples, allocation.sliceSamples);
    const buffersOf = (name: string) => (allocation.buffers.get(name) ?? []).slice(0, slices.length);
    const counts = blocks.flatMap(({ neuron }) => buffersOf(`${neuron.name} count`));
    const regularised = this.#plan.regularised(kind.training?.lambdas ?? []);
    const parts = (name: string, ofSample: number) =>
      buffersOf(name).map((buffer, i) => ({ buffer, bytes: 4 * ofSample * (slices[i] ?? 0) }));
    const { queue } = this.#device.device;
    // Both are submitted before anything is awaited: nobody can dispose of a buffer in between.
    const [, read] = await Promise.all([
      this.#device.guard(() => {
        for (const [name, data] of Object.entries(inputs)) this.#write(ready, name, data, samples);
        for (const buffer of counts) queue.writeBuffer(buffer, 0, new Uint32Array(1));
        prepared.submit(samples, values);
      }),
      this.#device.read([
        ...parts('rates', classes),
        ...parts('outputs', kind.steps * classes),
        ...counts.map((buffer) => ({ buffer, bytes: 4 })),
        ...regularised
          .flatMap(({ block: { neuron } }) => allocation.buffers.get(`${neuron.name} moments`) ?? [])
          .map((buffer) => ({ buffer, offset: 4, bytes: 4 })),
      ]),
    ]);
    const take = (count: number) => read.splice(0, count);
    const [rates, outputs] = [joined(take(slices.length)), joined(take(slices.length))];
    const spikeRates = Float64Array.from(blocks, ({ fired }) => {
      const spikes = take(slices.length).reduce(
        (sum, bytes) => sum + (new Uint32Array(bytes)[0] as number),
        0,
      );
      return spikes / (samples * kind.steps * fired.channels * fired.height * fired.width);
    });
    const variances = joined(read);
    const penalty = regularised.reduce((sum, { lambda }, i) => sum + lambda * (variances[i] ?? 0), 0);
    return { rates, outputs, spikeRates, penalty };
  }
}

function destroy({ buffers }: Allocation): void {
  for (const buffer of [...buffers.values()].flat()) buffer.destroy();
}

function aborted(): Error {
  return Object.assign(new Error('the step was aborted'), { code: 'PLIF_ABORTED' });
}

function typeOf(frames: NativeFrames): BatchKind['type'] {
  return frames instanceof Uint8Array ? 'uint8' : frames instanceof Uint16Array ? 'uint16' : 'float32';
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
