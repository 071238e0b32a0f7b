import { unreachable } from '../base/errors.ts';
import {
  type NirArray,
  type NirGraph,
  type NirNode,
  type NirNodeOf,
  nirNumber,
} from '../formats/nir-graph.ts';
import { countElements, ShapeError } from '../formats/tensor.ts';

/*
 * NIR graphs at work, in plain loops and single precision. NIR leaves the step to the simulator; here each is one Euler step of length dt:
 *
 *   charge   h = v + (v_leak − v + r · x) · dt/τ         (LIF, LI; IF and I: h = v + r · x · dt)
 *   fire     s = 1 if h > v_threshold, else 0
 *   reset    v = v_reset if s = 1, else h
 *
 * Before the first step, v is v_leak, or 0 without a leak. Of current-based neurons, x is the synaptic current i, which takes its own step
 * first: `i = i + (w_in · input − i) · dt/τ_syn`. Neurons without a threshold put out h.
 */
const round = Math.fround;

/** What a node does at each step: its input to its output. Neurons remember their potential in it. */
type Step = (x: Float32Array) => Float32Array;

interface Prepared {
  /** Of the node's output. */
  readonly shape: readonly number[];
  readonly start: () => Step;
}

interface Part extends Prepared {
  /** The parts whose outputs it adds up; none for the graph's input. */
  readonly from: readonly string[];
}

/** A graph that is ready to run. */
export interface NirNetwork {
  /** [P, H, W] for frames. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** By name, in an order in which all inputs come first; the first one is the graph's input, the last its output. */
  readonly parts: ReadonlyMap<string, Part>;
}

/**
 * Orders the nodes of a graph, and checks their shapes.
 *
 * @param dt length of a step, in the graph's unit of time
 * @throws {ShapeError} if nodes do not fit each other, the edges make a loop, there is not one input and one output, or a step is longer
 *   than a τ
 */
export function prepareNir({ nodes, edges }: NirGraph, dt = 1): NirNetwork {
  const input = nameOf(nodes, 'Input');
  const output = nameOf(nodes, 'Output');
  const parts = new Map<string, Part>();
  const visiting = new Set<string>();
  /** @returns the shape of a node's output, after it and all before it have become parts */
  const visit = (name: string): readonly number[] => {
    const known = parts.get(name);
    if (known !== undefined) return known.shape;
    const node = nodes.get(name);
    if (node === undefined) throw new ShapeError(`an edge names the node "${name}", which does not exist`);
    const where = `node "${name}" (${node.type})`;
    if (visiting.has(name))
      throw new ShapeError(`${where}: it is part of a loop; only graphs without loops can be run`);
    visiting.add(name);
    const from = edges.flatMap(([source, to]) => (to === name ? [source] : []));
    const [shape, ...others] = node.type === 'Input' ? [[...node.shape.data]] : from.map(visit);
    if (shape === undefined) throw new ShapeError(`${where}: no edge leads to it`);
    const other = others.find((one) => countElements(one) !== countElements(shape));
    if (other !== undefined)
      throw new ShapeError(`${where}: its inputs are [${shape}] and [${other}], expected one shape`);
    const part = { from, ...prepareNode(node, shape, dt, where) };
    parts.set(name, part);
    return part.shape;
  };
  const shape = visit(output);
  return { input: parts.get(input)?.shape ?? [], output: shape, parts };
}

function nameOf(nodes: NirGraph['nodes'], type: 'Input' | 'Output'): string {
  const [name, ...more] = [...nodes].flatMap(([one, node]) => (node.type === type ? [one] : []));
  if (name !== undefined && more.length === 0) return name;
  const found = name === undefined ? 'none' : more.length + 1;
  throw new ShapeError(`expected one node of type ${type}, found ${found}`);
}

/**
 * Shows a clip to a network.
 *
 * @param frames [T, ...input]
 * @param repeats for how many steps each frame is shown, R
 * @param watch called with the output of each node at each step
 * @returns [T · R, ...output]
 */
export function runNir(
  { input, output, parts }: NirNetwork,
  frames: Float32Array,
  repeats = 1,
  watch?: (name: string, step: number, values: Float32Array) => void,
): Float32Array {
  const [frameLength, outputLength] = [countElements(input), countElements(output)];
  const steps = (frames.length / frameLength) * repeats;
  const started = [...parts].map(([name, { from, start }]) => ({ name, from, run: start() }));
  const outputs = new Float32Array(steps * outputLength);
  for (let step = 0; step < steps; step++) {
    const at = Math.floor(step / repeats) * frameLength;
    let value = frames.subarray(at, at + frameLength);
    const values = new Map<string, Float32Array>();
    for (const { name, from, run } of started) {
      value = run(from.length === 0 ? value : add(from.map((one) => values.get(one)!)));
      values.set(name, value);
      watch?.(name, step, value);
    }
    outputs.set(value, step * outputLength);
  }
  return outputs;
}

function add([first, ...others]: readonly Float32Array[]): Float32Array {
  return others.reduce((sum, one) => sum.map((value, i) => value + one[i]!), first!);
}

/** @param shape of its input */
function prepareNode(node: NirNode, shape: readonly number[], dt: number, where: string): Prepared {
  const count = countElements(shape);
  switch (node.type) {
    case 'Input':
    case 'Output':
      return { shape, start: () => (x) => x };
    case 'Flatten':
      // Of all dimensions, whichever it names: what follows takes the values in the same order.
      return { shape: [count], start: () => (x) => x };
    case 'Scale': {
      const scale = spread(node.scale, shape, `${where}: scale`);
      return { shape, start: () => (x) => x.map((value, i) => value * scale[i]!) };
    }
    case 'Linear':
    case 'Affine': {
      const [outputs = 0, inputs = 0, ...more] = node.weight.shape;
      // Row by row: an input that was not flattened is the same.
      if (inputs !== count || more.length > 0) {
        const found = `weight is [${node.weight.shape}], its input [${shape}]`;
        throw new ShapeError(`${where}: ${found}; expected [outputs, ${count}]`);
      }
      const bias = node.type === 'Affine' ? spread(node.bias, [outputs], `${where}: bias`) : undefined;
      return { shape: [outputs], start: () => (x) => connect(node.weight.data, bias, x, outputs) };
    }
    case 'SumPool2d':
    case 'AvgPool2d':
      return prepareConvolution(poolingWeights(node, shape[0] ?? 0), shape, where);
    case 'Conv2d':
      return prepareConvolution(node, shape, where);
    case 'I':
    case 'IF':
    case 'LI':
    case 'LIF':
    case 'CubaLI':
    case 'CubaLIF':
      return prepareNeurons(node, shape, dt, where);
    default:
      return unreachable(node);
  }
}

/** A parameter for each place of a shape. @param parameter of that many values, of one, or of one per channel, [C, 1, 1] */
function spread({ shape: own, data }: NirArray, shape: readonly number[], where: string): Float32Array {
  const count = countElements(shape);
  if (data.length === count) return data;
  const perChannel = own[0] === shape[0] && own[0] === data.length && own.length === shape.length;
  if (data.length !== 1 && !perChannel) throw new ShapeError(`${where} is [${own}], expected [${shape}]`);
  return Float32Array.from({ length: count }, (_, i) => data[Math.floor((i * data.length) / count)]!);
}

function prepareNeurons(
  { type: _, ...parameters }: NirNodeOf<'I' | 'IF' | 'LI' | 'LIF' | 'CubaLI' | 'CubaLIF'>,
  shape: readonly number[],
  dt: number,
  where: string,
): Prepared {
  const count = countElements(shape);
  const given: Readonly<Record<string, NirArray>> = parameters;
  /** Of each neuron; `otherwise` if such neurons do not have it. */
  const read = (name: string, otherwise: number) =>
    spread(given[name] ?? nirNumber(otherwise), shape, `${where}: ${name}`);
  /** dt/τ, or dt without a τ. */
  const rateOf = (name: string) =>
    read(name, 1).map((tau) => {
      if (round(dt) <= tau || given[name] === undefined) return dt / tau;
      const found = `${name} is ${Number(tau.toPrecision(6))}, shorter than a step of ${dt}`;
      throw new ShapeError(`${where}: ${found}`, { key: 'dt' });
    });
  const [isLeaky, isSpiking] = ['v_leak' in given, 'v_threshold' in given];
  const rate = rateOf('tau_mem' in given ? 'tau_mem' : 'tau');
  const synapse = 'tau_syn' in given ? { weight: read('w_in', 1), rate: rateOf('tau_syn') } : undefined;
  const [r, rest] = [read('r', 1), read('v_leak', 0)];
  const [threshold, reset] = [read('v_threshold', Number.POSITIVE_INFINITY), read('v_reset', 0)];
  const start = (): Step => {
    const v = rest.slice();
    const current = new Float32Array(count);
    return (x) => {
      const out = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        let input = x[i]!;
        if (synapse !== undefined) {
          current[i]! += round(round(synapse.weight[i]! * input) - current[i]!) * synapse.rate[i]!;
          input = current[i]!;
        }
        const pull = isLeaky ? round(rest[i]! - v[i]!) : 0;
        const h = round(v[i]! + round(round(pull + round(r[i]! * input)) * rate[i]!));
        const fires = h > threshold[i]!;
        v[i] = fires ? reset[i]! : h;
        out[i] = isSpiking ? Number(fires) : h;
      }
      return out;
    };
  };
  return { shape, start };
}

function connect(weights: Float32Array, bias: Float32Array | undefined, x: Float32Array, outputs: number) {
  const active = [...x.keys()].filter((i) => x[i] !== 0);
  return Float32Array.from({ length: outputs }, (_, o) =>
    active.reduce((sum, i) => sum + x[i]! * weights[o * x.length + i]!, bias?.[o] ?? 0),
  );
}

/** Height and width of a parameter that may be one number for both. */
function pair({ data: [height = 0, width = height] }: NirArray): readonly [number, number] {
  return [height, width];
}

/** Pooling as a convolution of each channel with a window of equal weights. */
function poolingWeights(node: NirNodeOf<'SumPool2d' | 'AvgPool2d'>, channels: number): Convolution {
  const [height, width] = pair(node.kernel_size);
  const weight = node.type === 'AvgPool2d' ? 1 / (height * width) : 1;
  const data = new Float32Array(channels * height * width).fill(weight);
  return {
    ...{
      weight: { shape: [channels, 1, height, width], data },
      bias: nirNumber(0),
      groups: nirNumber(channels),
    },
    ...{ stride: node.stride, padding: node.padding, dilation: nirNumber(1) },
  };
}

type Convolution = Omit<NirNodeOf<'Conv2d'>, 'type' | 'input_shape'>;

function prepareConvolution(node: Convolution, shape: readonly number[], where: string): Prepared {
  const fail = (problem: string): never => {
    throw new ShapeError(`${where}: ${problem}`);
  };
  const [channels = 0, height = 0, width = 0] = shape;
  if (shape.length !== 3) fail(`its input is [${shape}], expected [C, H, W]`);
  const [outputs = 0, perGroup = 0, kernelH = 0, kernelW = 0] = node.weight.shape;
  const groups = node.groups.data[0]!;
  if (perGroup * groups !== channels || outputs % groups !== 0)
    fail(`weight is [${node.weight.shape}] in ${groups} groups, its input [${shape}]`);
  const [strideY, strideX] = pair(node.stride);
  const [padY, padX] = pair(node.padding);
  const [dilationY, dilationX] = pair(node.dilation);
  const rows = Math.floor((height + 2 * padY - dilationY * (kernelH - 1) - 1) / strideY) + 1;
  const columns = Math.floor((width + 2 * padX - dilationX * (kernelW - 1) - 1) / strideX) + 1;
  if (!(rows > 0 && columns > 0 && Number.isFinite(rows * columns)))
    fail(
      `a kernel of ${kernelH} x ${kernelW} in strides of ${strideY} x ${strideX} gives no output for its input [${shape}]`,
    );
  const bias = { shape: [outputs, 1, 1], data: spread(node.bias, [outputs], `${where}: bias`) };
  const start = Float64Array.from(spread(bias, [outputs, rows, columns], where));
  const { data: weights } = node.weight;
  const step: Step = (x) => {
    const sums = start.slice();
    // Most inputs are 0, so each other one is added to all that it reaches.
    for (const [i, value] of x.entries()) {
      if (value === 0) continue;
      const channel = Math.floor(i / height / width);
      const first = (Math.floor(channel / perGroup) * outputs) / groups;
      for (let ky = 0; ky < kernelH; ky++) {
        const row = ((Math.floor(i / width) % height) + padY - ky * dilationY) / strideY;
        if (row < 0 || row >= rows || !Number.isInteger(row)) continue;
        for (let kx = 0; kx < kernelW; kx++) {
          const column = ((i % width) + padX - kx * dilationX) / strideX;
          if (column < 0 || column >= columns || !Number.isInteger(column)) continue;
          for (let o = first; o < first + outputs / groups; o++) {
            const weight = weights[((o * perGroup + (channel % perGroup)) * kernelH + ky) * kernelW + kx]!;
            sums[(o * rows + row) * columns + column]! += value * weight;
          }
        }
      }
    }
    return Float32Array.from(sums);
  };
  return { shape: [outputs, rows, columns], start: () => step };
}
