import type {
  NativeAddon,
  NativeForward,
  NativeFrames,
  NativeSlot,
  NativeStepOptions,
} from '../../src/engines/native/addon-types.ts';

type Options<Name extends 'open' | 'runNeurons'> = Omit<
  Parameters<NativeAddon[Name]>[0],
  'threads' | 'instructionSet'
>;

export interface WasmNetwork {
  setTensor(name: string, slot: NativeSlot, data: Float32Array): void;
  getTensor(name: string, slot: NativeSlot | 'gradient'): Float32Array;
  bytesFor(samples: number, steps: number, training: boolean): number;
  trainStep(
    frames: NativeFrames,
    samples: number,
    steps: number,
    labels: Int32Array,
    masks: readonly Float32Array[],
    options: NativeStepOptions,
  ): NativeForward & { readonly loss: number };
  evaluate(frames: NativeFrames, samples: number, steps: number): NativeForward;
  dispose(): void;
}

export interface WasmInstance {
  readonly sourceDigest: string;
  readonly compiler: string;
  open(options: Options<'open'>): WasmNetwork;
  runNeurons(options: Options<'runNeurons'>): Awaited<ReturnType<NativeAddon['runNeurons']>>;
}

/** A `WebAssembly.Module`, which threads can pass on. */
export interface CompiledModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

export function compile(bytes: Uint8Array): CompiledModule;
export function instantiate(module: CompiledModule, mustStop?: () => boolean): WasmInstance;
