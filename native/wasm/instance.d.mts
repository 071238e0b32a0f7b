import type { NativeAddon, NativeNetwork } from '../../src/network/engines/native/addon-types.ts';

type Options<Name extends 'open' | 'runNeurons'> = Omit<
  Parameters<NativeAddon[Name]>[0],
  'threads' | 'instructionSet'
>;

/** A network whose methods block while they compute. */
export type WasmNetwork = {
  [Name in Exclude<keyof NativeNetwork, 'abort'>]: (
    ...values: Parameters<NativeNetwork[Name]>
  ) => Awaited<ReturnType<NativeNetwork[Name]>>;
};

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
