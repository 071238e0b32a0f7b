import { ReproError } from '../../../base/errors.ts';
import { formatBytes } from '../../../base/text.ts';
import type { Kernel } from './kernels/kernel.ts';
import type { ParameterMap } from './parameters.ts';
import type { Arena, Pass, Program, Space } from './program.ts';

/** Bits of GPUBufferUsage and GPUMapMode, whose names only browsers define. */
const usages = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
const MAP_READ = 1;
const COMPUTE_STAGE = 4;

/** The offset of a binding of a uniform buffer, and the size of `batch`. */
const UNIFORM_STRIDE = 256;

/** Windows, also below WSL 2, resets a GPU that is busy with one submission for two seconds: a slow one does so much in a tenth of that. */
const MOST_FLOP = 1e11;

/** Refused memory, in the words of `NativeNetwork`. */
class OutOfGpuMemory extends Error {
  readonly code = 'PLIF_OUT_OF_MEMORY';
}

/** The numbers of Adam, as in `Batch`. */
export interface BatchValues {
  readonly stepSize: number;
  readonly correction: number;
}

/** The buffers of a program for batches of up to so many samples. */
export interface Allocation {
  readonly sliceSamples: number;
  readonly samples: number;
  /** One buffer, or for `kept` spaces one a slice. */
  readonly buffers: ReadonlyMap<string, readonly GPUBuffer[]>;
}

/** A device with the pipelines that were compiled on it. */
export class ComputeDevice {
  readonly device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  #lost: string | undefined;

  constructor(device: GPUDevice) {
    this.device = device;
    void device.lost.then(({ message, reason }) => {
      this.#lost = message || reason;
    });
  }

  /** Of one buffer, all of which is bound. Below 2 GiB, so that counts and lengths stay within 32 bits on every system. */
  get mostBytes(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    return Math.min(maxBufferSize, maxStorageBufferBindingSize, 2 ** 31);
  }

  /**
   * Does something whose mistakes the device would only write to a log.
   *
   * @throws {OutOfGpuMemory} if memory was refused, and a plain error if the device refused something else or was lost
   */
  async guard<T>(work: () => T): Promise<T> {
    const kinds = ['out-of-memory', 'internal', 'validation'] as const;
    for (const kind of kinds) this.device.pushErrorScope(kind);
    let popped: Promise<(GPUError | null)[]>;
    let result: T;
    try {
      result = work();
    } finally {
      popped = Promise.all(kinds.map(() => this.device.popErrorScope()));
    }
    const [validation, internal, memory] = await popped;
    this.#check();
    if (memory) throw new OutOfGpuMemory(memory.message);
    const refused = validation ?? internal;
    if (refused) throw new Error(`the GPU refused a command: ${refused.message}`);
    return result;
  }

  /** @param sizes in bytes. @throws {OutOfGpuMemory} */
  async allocate(sizes: readonly number[], isUniform = false): Promise<GPUBuffer[]> {
    const usage = usages.copySource | usages.copyTarget | (isUniform ? usages.uniform : usages.storage);
    const buffers: GPUBuffer[] = [];
    try {
      await this.guard(() => {
        for (const size of sizes) {
          buffers.push(this.device.createBuffer({ size: 4 * Math.ceil(size / 4), usage }));
        }
      });
    } catch (error) {
      for (const buffer of buffers) buffer.destroy();
      throw error;
    }
    return buffers;
  }

  /** Compiles what is new. @throws if a kernel does not compile */
  pipelineOf(kernel: Kernel): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(kernel.code);
    if (known !== undefined) return known;
    const compiled = this.#compile(kernel);
    this.#pipelines.set(kernel.code, compiled);
    compiled.catch(() => this.#pipelines.delete(kernel.code));
    return compiled;
  }

  async #compile({ name, code, bindings }: Kernel): Promise<GPUComputePipeline> {
    const layout = this.device.createBindGroupLayout({
      entries: ['uniform', ...Object.values(bindings)].map((binding, i) => ({
        binding: i,
        visibility: COMPUTE_STAGE,
        buffer: {
          type:
            binding === 'uniform' ? 'uniform' : binding.startsWith('read') ? 'read-only-storage' : 'storage',
        },
      })),
    });
    const module = this.device.createShaderModule({ label: name, code });
    const wrong = (await module.getCompilationInfo()).messages.filter(({ type }) => type === 'error');
    this.#check();
    if (wrong[0] !== undefined) {
      const { lineNum, message } = wrong[0];
      throw new Error(`kernel ${name}, line ${lineNum}: ${message}\n${code.split('\n')[lineNum - 1] ?? ''}`);
    }
    return this.device.createComputePipelineAsync({
      label: name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
  }

  /** Copies parts of buffers back; `offset` is in bytes. */
  async read(
    parts: readonly { readonly buffer: GPUBuffer; readonly offset?: number; readonly bytes: number }[],
  ): Promise<ArrayBuffer[]> {
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    const staging = this.device.createBuffer({
      size: Math.max(4, total),
      usage: usages.mapRead | usages.copyTarget,
    });
    const encoder = this.device.createCommandEncoder();
    let at = 0;
    for (const { buffer, offset = 0, bytes } of parts) {
      encoder.copyBufferToBuffer(buffer, offset, staging, at, bytes);
      at += bytes;
    }
    this.device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(MAP_READ);
      const all = staging.getMappedRange();
      let end = 0;
      return parts.map(({ bytes }) => {
        end += bytes;
        return all.slice(end - bytes, end);
      });
    } catch (error) {
      this.#check(error);
      throw error;
    } finally {
      staging.destroy();
    }
  }

  /** @throws if the device was lost, saying why */
  #check(cause?: unknown): void {
    if (this.#lost === undefined) return;
    throw new ReproError('gpu-lost', `The GPU was lost: ${this.#lost}.`, {
      fix: 'Run this again: a training continues from its last checkpoint.',
      cause,
    });
  }
}

/** What a network learns or observes, in a buffer for each arena. @throws {OutOfGpuMemory} */
export async function allocateArenas(
  device: ComputeDevice,
  { values, running }: ParameterMap['sizes'],
): Promise<ReadonlyMap<Arena, GPUBuffer>> {
  const names = ['values', 'gradients', 'first', 'second', 'running'] as const;
  const buffers = await device.allocate(names.map((name) => 4 * (name === 'running' ? running : values)));
  return new Map(names.map((name, i) => [name, buffers[i] as GPUBuffer]));
}

/** A buffer that is larger than a device can bind, however much memory it has. */
export function tooLarge(what: string, bytes: number, mostBytes: number): ReproError {
  return new ReproError(
    'gpu-limit',
    `${what} needs a buffer of ${formatBytes(bytes)}; this GPU binds at most ${formatBytes(mostBytes)} at once.`,
    {
      fix: 'Use smaller frames, fewer steps or fewer channels, or another GPU (REPRO_GPU) or engine (`train.engine`).',
    },
  );
}

/**
 * How many samples a slice has at most, so that no buffer is larger than the device can bind.
 *
 * @throws {ReproError} `gpu-limit` if it cannot bind a buffer that all slices share, or that of one sample
 */
export function sliceSamples(program: Program, mostBytes: number): number {
  const { shared, ofSample } = program.largestSpaces();
  if (shared.bytes > mostBytes) throw tooLarge(`"${shared.name}"`, shared.bytes, mostBytes);
  if (ofSample.bytes > mostBytes)
    throw tooLarge(`"${ofSample.name}" of one sample`, ofSample.bytes, mostBytes);
  return Math.floor(mostBytes / ofSample.bytes);
}

/** @throws {OutOfGpuMemory} */
export async function allocateProgram(
  device: ComputeDevice,
  program: Program,
  samples: number,
  perSlice: number,
): Promise<Allocation> {
  const slices = Math.ceil(samples / perSlice);
  const names = [...program.bytes.keys()];
  const sizes = names.map((name) => {
    const bytes = program.bytes.get(name) ?? 0;
    const kind = program.kinds.get(name);
    if (kind === 'fixed') return [bytes];
    const ofSlice = bytes * Math.min(samples, perSlice);
    return kind === 'scratch' ? [ofSlice] : Array.from({ length: slices }, () => ofSlice);
  });
  const all = await device.allocate(sizes.flat());
  const buffers = new Map<string, GPUBuffer[]>();
  let at = 0;
  names.forEach((name, i) => {
    const count = sizes[i]?.length ?? 0;
    buffers.set(name, all.slice(at, at + count));
    at += count;
  });
  return { samples, sliceSamples: perSlice, buffers };
}

/** The samples of each slice of a batch. */
export function slicesOf(samples: number, perSlice: number): number[] {
  return Array.from({ length: Math.ceil(samples / perSlice) }, (_, i) =>
    Math.min(perSlice, samples - i * perSlice),
  );
}

/** A program whose bindings are made, to be submitted again and again. */
export class PreparedProgram {
  readonly #device: ComputeDevice;
  readonly #allocation: Allocation;
  readonly #uniforms: GPUBuffer;
  readonly #steps: {
    readonly pass: Pass;
    readonly slice: number | undefined;
    readonly pipeline: GPUComputePipeline;
    readonly group: GPUBindGroup;
  }[] = [];

  private constructor(device: ComputeDevice, allocation: Allocation, uniforms: GPUBuffer) {
    this.#device = device;
    this.#allocation = allocation;
    this.#uniforms = uniforms;
  }

  static async prepare(
    device: ComputeDevice,
    program: Program,
    allocation: Allocation,
    arenas: ReadonlyMap<Arena, GPUBuffer>,
  ): Promise<PreparedProgram> {
    const slices = slicesOf(allocation.samples, allocation.sliceSamples);
    const kernels = program.phases.flatMap(({ passes }) => passes.map(({ kernel }) => kernel));
    const compiled = kernels.map(async (kernel) => [kernel, await device.pipelineOf(kernel)] as const);
    const pipelines = new Map(await Promise.all(compiled));
    const [uniforms] = await device.allocate([UNIFORM_STRIDE * slices.length], true);
    const prepared = new PreparedProgram(device, allocation, uniforms as GPUBuffer);
    await device.guard(() => {
      for (const { each, passes } of program.phases) {
        for (const slice of each === 'slice' ? slices.keys() : [undefined]) {
          for (const pass of passes) {
            const pipeline = pipelines.get(pass.kernel) as GPUComputePipeline;
            const group = prepared.#bind(pass, pipeline, slice ?? 0, arenas);
            prepared.#steps.push({ pass, slice, pipeline, group });
          }
        }
      }
    });
    return prepared;
  }

  #bind(
    { kernel, buffers }: Pass,
    pipeline: GPUComputePipeline,
    slice: number,
    arenas: ReadonlyMap<Arena, GPUBuffer>,
  ): GPUBindGroup {
    const resourceOf = (space: Space): GPUBufferBinding => {
      if (space.kind === 'arena') {
        return {
          buffer: arenas.get(space.arena) as GPUBuffer,
          offset: 4 * space.offset,
          size: 4 * space.size,
        };
      }
      const list = this.#allocation.buffers.get(space.name) ?? [];
      return { buffer: list[space.kind === 'kept' ? slice : 0] as GPUBuffer };
    };
    return this.#device.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: this.#uniforms, offset: slice * UNIFORM_STRIDE, size: 32 } },
        ...Object.keys(kernel.bindings).map((name, i) => ({
          binding: i + 1,
          resource: resourceOf(buffers[name] as Space),
        })),
      ],
    });
  }

  /** Submits all passes, for a batch of at most as many samples as it was allocated for; to be called in `guard`. @param clock says where each one's begin and end are written */
  submit(samples: number, values: BatchValues, clock?: () => GPUComputePassDescriptor): void {
    const { device } = this.#device;
    const slices = slicesOf(samples, this.#allocation.sliceSamples);
    slices.forEach((count, slice) => {
      const bytes = new ArrayBuffer(32);
      new Uint32Array(bytes).set([count, samples, slice]);
      new Float32Array(bytes).set([values.stepSize, values.correction], 3);
      device.queue.writeBuffer(this.#uniforms, slice * UNIFORM_STRIDE, bytes);
    });
    let encoder = device.createCommandEncoder();
    let run = encoder.beginComputePass(clock?.());
    let flop = 0;
    for (const { pass, slice, pipeline, group } of this.#steps) {
      const count = slice === undefined ? samples : slices[slice];
      if (count === undefined) continue; // a smaller batch has fewer slices
      const groups = pass.kernel.groups(count);
      const down = Math.ceil(groups / 65_535);
      run.setPipeline(pipeline);
      run.setBindGroup(0, group);
      run.dispatchWorkgroups(Math.ceil(groups / down), down);
      flop += pass.kernel.flop * count;
      if (flop < MOST_FLOP && clock === undefined) continue;
      run.end();
      device.queue.submit([encoder.finish()]);
      encoder = device.createCommandEncoder();
      run = encoder.beginComputePass(clock?.());
      flop = 0;
    }
    run.end();
    device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    this.#uniforms.destroy();
  }
}
