import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { engine, registerGradient, registerKernel } from '@tensorflow/tfjs-core';

/** A kernel's view of a call: the inputs' values and shapes by name, and a way to make outputs. */
export interface KernelCall {
  values(name: string): Float32Array;
  shape(name: string): readonly number[];
  output(shape: readonly number[], values: Float32Array): TensorInfo;
}

/** A kernel of tfjs' plain CPU backend, called with tensors by name and its own attributes (numbers, booleans and strings). */
interface CpuKernel<Attributes extends object> {
  readonly name: string;
  /** @returns one tensor per output, in the kernel's order */
  run(inputs: Readonly<Record<string, Tensor>>, attributes: Attributes): Tensor[];
}

/** Registers typed-array code as a kernel of the backend `cpu`; `name` must be unused. */
export function defineCpuKernel<Attributes extends object>(
  name: string,
  compute: (call: KernelCall, attributes: Attributes) => TensorInfo[],
): CpuKernel<Attributes> {
  registerKernel({
    kernelName: name,
    backendName: 'cpu',
    // tfjs types neither a kernel's backend nor its attributes: the first is the one registered as 'cpu', the second come from
    // `run` below.
    kernelFunc: ({ inputs, backend, attrs }) =>
      compute(describeCall(name, inputs, backend as MathBackendCPU), attrs as unknown as Attributes),
  });
  return {
    name,
    run: (inputs, attributes) =>
      engine().runKernel<Tensor[]>(name, { ...inputs }, { ...attributes } as NamedAttrMap),
  };
}

/**
 * Registers the gradient of a kernel.
 *
 * @param keep the inputs that the gradient needs
 * @param gradient gets a gradient per output (zeros for unused ones), the kept inputs by name and the attributes, and returns a function
 * for the gradient of each input; only those needed are called
 */
export function defineGradient<Attributes extends object, Kept extends string>(
  kernel: CpuKernel<Attributes>,
  keep: readonly Kept[],
  gradient: (
    dys: readonly Tensor[],
    kept: Readonly<Record<Kept, Tensor>>,
    attributes: Attributes,
  ) => Record<string, () => Tensor>,
): void {
  registerGradient({
    kernelName: kernel.name,
    inputsToSave: [...keep],
    gradFunc: (dy, saved, attributes) =>
      gradient(
        Array.isArray(dy) ? dy : [dy],
        Object.fromEntries(keep.map((name, i) => [name, saved[i]])) as Record<Kept, Tensor>,
        attributes as unknown as Attributes,
      ),
  });
}

function describeCall(
  kernel: string,
  inputs: Readonly<Record<string, TensorInfo | undefined>>,
  backend: MathBackendCPU,
): KernelCall {
  const input = (name: string): TensorInfo => {
    const info = inputs[name];
    if (info === undefined) throw new Error(`${kernel}: no input "${name}"`);
    return info;
  };
  return {
    values: (name) => {
      const { values } = backend.data.get(input(name).dataId);
      if (!(values instanceof Float32Array)) throw new Error(`${kernel}: input "${name}" is not float32`);
      return values;
    },
    shape: (name) => input(name).shape,
    output: (shape, values) => backend.makeTensorInfo([...shape], 'float32', values),
  };
}
