import type { NirArray, NirGraph, NirNode } from '../../src/formats/nir.ts';
import { countElements } from '../../src/formats/tensor.ts';

/*
 * The NIR graphs that this project writes, at work: chains of nodes, some with a node from spikes back to their neurons, in plain loops and single precision, in Euler steps of length 1:
 * `h = v + (v_leak − v + r · x) / τ` (LIF) or `h = v + r · x` (IF), a spike if `h > v_threshold`, which takes the potential to `v_reset`.
 */
const round = Math.fround;
type Step = (x: Float32Array) => Float32Array;
type Sizes = readonly [channels: number, height: number, width: number];

/**
 * Shows a clip, [T, ...input], to a network.
 *
 * @param watch called with the output of each node at each step
 * @returns [T, ...output]
 */
export function runNir(
  { nodes, edges }: NirGraph,
  frames: Float32Array,
  watch?: (name: string, values: Float32Array) => void,
): Float32Array {
  let shape: readonly number[] = [...(nodes.get('input') as Extract<NirNode, { type: 'Input' }>).shape.data];
  const length = countElements(shape);
  const steps = [...nodes].map(([name, node]) => {
    const prepared = prepare(node, shape);
    shape = prepared.shape;
    return { name, run: prepared.run };
  });
  const order = [...nodes.keys()];
  /** Neurons by the node that leads back to them. */
  const back = new Map(edges.filter(([from, to]) => order.indexOf(to) < order.indexOf(from)));
  /** What neurons get in the next step besides the node before them. */
  const fed = new Map<string, Float32Array>();
  return Float32Array.from(
    Array.from({ length: frames.length / length }).flatMap((_, t) => {
      let value = frames.slice(t * length, (t + 1) * length);
      for (const { name, run } of steps) {
        const neurons = back.get(name);
        if (neurons !== undefined) fed.set(neurons, run(value));
        else {
          const more = fed.get(name);
          value = run(value.map((x, i) => x + (more?.[i] ?? 0))) as typeof value;
          watch?.(name, value);
        }
      }
      return [...value];
    }),
  );
}

function prepare(node: NirNode, shape: readonly number[]): { shape: readonly number[]; run: Step } {
  const [channels = 1, height = 1, width = 1] = shape;
  const sizes = [channels, height, width] as const;
  switch (node.type) {
    case 'Linear': {
      const [outputs = 0, inputs = 0] = node.weight.shape;
      const { data } = node.weight;
      const run: Step = (x) =>
        Float32Array.from({ length: outputs }, (_, o) =>
          x.reduce((sum, value, i) => (value === 0 ? sum : sum + value * data[o * inputs + i]!), 0),
        );
      return { shape: [outputs], run };
    }
    case 'Conv2d':
      return convolve(node.weight, node.bias.data, [1, node.padding.data[0]!, 1], sizes);
    case 'SumPool2d':
    case 'AvgPool2d': {
      const [size = 0] = node.kernel_size.data;
      const data = new Float32Array(channels * size ** 2);
      data.fill(node.type === 'AvgPool2d' ? 1 / size ** 2 : 1);
      return convolve({ shape: [channels, 1, size, size], data }, [], [size, 0, channels], sizes);
    }
    case 'IF':
    case 'LIF': {
      const { r, v_threshold, v_reset } = node;
      const leaky = node.type === 'LIF' ? node : undefined;
      const v = leaky?.v_leak.data.slice() ?? new Float32Array(r.data.length);
      const run: Step = (x) =>
        x.map((input, i) => {
          const pull = leaky === undefined ? 0 : round(leaky.v_leak.data[i]! - v[i]!);
          const leak = leaky === undefined ? 1 : round(1 / leaky.tau.data[i]!);
          const h = round(v[i]! + round(round(pull + round(r.data[i]! * input)) * leak));
          const fires = h > v_threshold.data[i]!;
          v[i] = fires ? v_reset.data[i]! : h;
          return Number(fires);
        });
      return { shape, run };
    }
    default:
      return { shape: node.type === 'Flatten' ? [countElements(shape)] : shape, run: (x) => x };
  }
}

/** A convolution with square kernels; inputs other than 0 are added in double precision, in their order. */
function convolve(
  { shape: [outputs = 0, perGroup = 0, kernel = 0], data }: NirArray,
  bias: ArrayLike<number>,
  [stride, padding, groups]: readonly [number, number, number],
  [, height, width]: Sizes,
): { shape: readonly number[]; run: Step } {
  const [rows = 0, columns = 0] = [height, width].map((size) =>
    Math.floor((size + 2 * padding - kernel) / stride + 1),
  );
  const run: Step = (x) => {
    const sums = Float64Array.from({ length: outputs * rows * columns }, (_, i) => {
      return bias[Math.floor(i / rows / columns)] ?? 0;
    });
    for (const [i, value] of x.entries()) {
      if (value === 0) continue;
      const channel = Math.floor(i / height / width);
      const first = (Math.floor(channel / perGroup) * outputs) / groups;
      for (let tap = 0; tap < kernel ** 2; tap++) {
        const row = ((Math.floor(i / width) % height) + padding - Math.floor(tap / kernel)) / stride;
        const column = ((i % width) + padding - (tap % kernel)) / stride;
        const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
        if (!isInside || !Number.isInteger(row) || !Number.isInteger(column)) continue;
        for (let o = first; o < first + outputs / groups; o++) {
          const weight = data[(o * perGroup + (channel % perGroup)) * kernel ** 2 + tap]!;
          sums[(o * rows + row) * columns + column]! += value * weight;
        }
      }
    }
    return Float32Array.from(sums);
  };
  return { shape: [outputs, rows, columns], run };
}
