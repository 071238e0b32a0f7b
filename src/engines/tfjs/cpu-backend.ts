import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { engine, registerGradient, registerKernel } from '@tensorflow/tfjs-core';

/** What a kernel gets: the inputs' values and shapes, by name, and a maker of outputs. */
export interface KernelCall {
  values(name: string): Float32Array;
  shape(name: string): readonly number[];
  output(shape: readonly number[], values: Float32Array): TensorInfo;
}

/** A kernel of tfjs' plain CPU backend, called with tensors by name and with attributes of its own (numbers, booleans and strings). */
export interface CpuKernel<Attributes extends object> {
  readonly name: string;
  /** @returns one tensor for each output, in the order of the kernel */
  run(inputs: Readonly<Record<string, Tensor>>, attributes: Attributes): Tensor[];
}

/** Registers typed-array code as a kernel of the backend `cpu` under `name`, which must be free. */
export function defineCpuKernel<Attributes extends object>(
  name: string,
  compute: (call: KernelCall, attributes: Attributes) => TensorInfo[],
): CpuKernel<Attributes> {
  registerKernel({
    kernelName: name,
    backendName: 'cpu',
    // tfjs types neither the backend nor the attributes of a kernel: the first is what 'cpu' is registered as, the second come from
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
 * @param keep inputs that the gradient needs
 * @param gradient from one gradient for each output (zeros where it reached none), the kept inputs by name and the attributes, how to
 * get the gradient of each input; only those that are wanted are called
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
