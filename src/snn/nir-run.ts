import type { NirArray, NirGraph, NirNode, NirNodeOf } from './nir-graph.ts';
import { countElements, ShapeError } from './tensor.ts';

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

interface Part {
  readonly name: string;
  /** Places of the parts whose outputs it adds up. */
  readonly from: readonly number[];
  readonly length: number;
  readonly start: () => Step;
}

/** A graph that is ready to run. */
export interface NirNetwork {
  /** [P, H, W] for frames. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** In an order in which all inputs come first; the first one is the graph's input, the last its output. */
  readonly parts: readonly Part[];
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
  const shapes = new Map<string, readonly number[]>();
  const parts: Part[] = [];
  const visiting = new Set<string>();
  /** @returns the shape of a node's output, after it and all before it have become parts */
  const visit = (name: string): readonly number[] => {
    const known = shapes.get(name);
    if (known !== undefined) return known;
    const node = nodes.get(name);
    if (node === undefined) throw new ShapeError(`an edge names the node "${name}", which does not exist`);
    const where = `node "${name}" (${node.type})`;
    if (visiting.has(name))
      throw new ShapeError(`${where}: it is part of a loop; only graphs without loops can be run`);
    visiting.add(name);
    const from = edges.flatMap(([source, to]) => (to === name ? [source] : []));
    if (from.length === 0 && name !== input) throw new ShapeError(`${where}: no edge leads to it`);
    const [shape = [], ...others] =
      name === input && node.type === 'Input' ? [[...node.shape.data]] : from.map(visit);
    const other = others.find((one) => countElements(one) !== countElements(shape));
    if (other !== undefined)
      throw new ShapeError(`${where}: its inputs are [${shape}] and [${other}], expected one shape`);
    const { shape: out, start } = prepareNode(node, shape, dt, where);
    shapes.set(name, out);
    const places = from.map((source) => parts.findIndex((part) => part.name === source));
    parts.push({ name, from: places, length: countElements(out), start });
    return out;
  };
  const shape = visit(output);
  return { input: shapes.get(input) ?? [], output: shape, parts };
}

function nameOf(nodes: NirGraph['nodes'], type: 'Input' | 'Output'): string {
  const [name, ...more] = [...nodes].flatMap(([one, node]) => (node.type === type ? [one] : []));
  if (name !== undefined && more.length === 0) return name;
  throw new ShapeError(
    `expected one node of type ${type}, found ${name === undefined ? 'none' : more.length + 1}`,
  );
}

/**
 * Shows a clip to a network.
 *
 * @param frames [T, ...input]
 * @param watch called with the output of each node at each step
 * @returns [T, ...output]
 */
export function runNir(
  { input, output, parts }: NirNetwork,
  frames: Float32Array,
  watch?: (name: string, step: number, values: Float32Array) => void,
): Float32Array {
  const [frameLength, outputLength] = [countElements(input), countElements(output)];
  const count = frames.length / frameLength;
  const started = parts.map(({ start }) => start());
  const outputs = new Float32Array(count * outputLength);
  for (let step = 0; step < count; step++) {
    const values: Float32Array[] = [];
    for (const [i, { name, from, length }] of parts.entries()) {
      const frame = frames.subarray(step * frameLength, (step + 1) * frameLength);
      const value = started[i]!(from.length === 0 ? frame : add(from.map((place) => values[place]!)));
      values.push(value);
      watch?.(name, step, value);
      if (i === parts.length - 1) outputs.set(value, step * length);
    }
  }
  return outputs;
}

function add([first, ...others]: readonly Float32Array[]): Float32Array {
  return others.reduce((sum, one) => sum.map((value, i) => value + one[i]!), first!);
}

interface Prepared {
  /** Of the node's output. */
  readonly shape: readonly number[];
  readonly start: () => Step;
}

/** @param shape of its input */
function prepareNode(node: NirNode, shape: readonly number[], dt: number, where: string): Prepared {
  const fail = (problem: string): never => {
    throw new ShapeError(`${where}: ${problem}`);
  };
  const same = (step: Step): Prepared => ({ shape, start: () => step });
  switch (node.type) {
    case 'Input':
      return same((x) => x);
    case 'Output': {
      const declared = [...node.shape.data];
      if (countElements(declared) !== countElements(shape))
        fail(`its shape is [${declared}], its input [${shape}]`);
      return same((x) => x);
    }
    case 'Flatten': {
      const start = node.start_dim.data[0]!;
      const end = (node.end_dim.data[0]! + shape.length) % shape.length;
      const flat = [
        ...shape.slice(0, start),
        countElements(shape.slice(start, end + 1)),
        ...shape.slice(end + 1),
      ];
      return { shape: flat, start: () => (x) => x };
    }
    case 'Scale': {
      const scale = spread(node.scale, shape, `${where}: scale`);
      return same((x) => x.map((value, i) => value * scale[i]!));
    }
    case 'Linear':
    case 'Affine': {
      const [outputs = 0, inputs = 0, ...more] = node.weight.shape;
      // Row by row: an input that was not flattened is the same.
      if (inputs !== countElements(shape) || more.length > 0)
        fail(
          `weight is [${node.weight.shape}], its input [${shape}]; expected [outputs, ${countElements(shape)}]`,
        );
      const bias = node.type === 'Affine' ? spread(node.bias, [outputs], `${where}: bias`) : undefined;
      return { shape: [outputs], start: () => (x) => connect(node.weight.data, bias, x, outputs) };
    }
    case 'SumPool2d':
    case 'AvgPool2d':
      return prepareConvolution(poolingWeights(node, shape[0] ?? 0), shape, fail);
    case 'Conv2d': {
      const bias = spread(node.bias, node.weight.shape.slice(0, 1), `${where}: bias`);
      return prepareConvolution({ ...node, bias }, shape, fail);
    }
    default:
      return prepareNeurons(node, shape, dt, where);
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
  node: NirNodeOf<'I' | 'IF' | 'LI' | 'LIF' | 'CubaLI' | 'CubaLIF'>,
  shape: readonly number[],
  dt: number,
  where: string,
): Prepared {
  const count = countElements(shape);
  const expand = (name: string, array: NirArray) => spread(array, shape, `${where}: ${name}`);
  /** dt/τ */
  const rateOf = (name: string, array: NirArray) =>
    expand(name, array).map((tau) => {
      if (round(dt) <= tau) return dt / tau;
      throw new ShapeError(
        `${where}: ${name} is ${Number(tau.toPrecision(6))}, shorter than a step of ${dt}`,
        { key: 'dt' },
      );
    });
  const r = expand('r', node.r);
  const leak =
    'v_leak' in node
      ? {
          potential: expand('v_leak', node.v_leak),
          rate: 'tau' in node ? rateOf('tau', node.tau) : rateOf('tau_mem', node.tau_mem),
        }
      : undefined;
  const synapse =
    'tau_syn' in node
      ? { weight: expand('w_in', node.w_in), rate: rateOf('tau_syn', node.tau_syn) }
      : undefined;
  const fire =
    'v_threshold' in node
      ? { threshold: expand('v_threshold', node.v_threshold), reset: expand('v_reset', node.v_reset) }
      : undefined;
  const start = (): Step => {
    const v = leak === undefined ? new Float32Array(count) : leak.potential.slice();
    const current = new Float32Array(count);
    return (x) => {
      const out = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        let input = x[i]!;
        if (synapse !== undefined) {
          current[i]! += round(round(synapse.weight[i]! * input) - current[i]!) * synapse.rate[i]!;
          input = current[i]!;
        }
        const driven = round(r[i]! * input);
        const change =
          leak === undefined
            ? driven * dt
            : round(round(leak.potential[i]! - v[i]!) + driven) * leak.rate[i]!;
        const h = round(v[i]! + round(change));
        const spikes = fire !== undefined && h > fire.threshold[i]!;
        v[i] = spikes ? fire.reset[i]! : h;
        out[i] = fire === undefined ? h : spikes ? 1 : 0;
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

type Fail = (problem: string) => never;

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
    ...{ weight: { shape: [channels, 1, height, width], data }, stride: node.stride, padding: node.padding },
    bias: new Float32Array(channels),
    dilation: { shape: [], data: Float32Array.of(1) },
    groups: { shape: [], data: Float32Array.of(channels) },
  };
}

/** `bias`: one value per output. */
type Convolution = Omit<NirNodeOf<'Conv2d'>, 'type' | 'input_shape' | 'bias'> & {
  readonly bias: Float32Array;
};

function prepareConvolution(node: Convolution, shape: readonly number[], fail: Fail): Prepared {
  const [channels = 0, height = 0, width = 0] = shape;
  if (shape.length !== 3) fail(`its input is [${shape}], expected [C, H, W]`);
  const [outputs = 0, perGroup = 0, kernelH = 0, kernelW = 0] = node.weight.shape;
  const groups = node.groups.data[0]!;
  if (perGroup * groups !== channels || outputs % groups !== 0)
    fail(`weight is [${node.weight.shape}] in ${groups} groups, its input [${shape}]`);
  const [[strideY, strideX], [padY, padX], [dilationY, dilationX]] = [
    pair(node.stride),
    pair(node.padding),
    pair(node.dilation),
  ];
  const rows = Math.floor((height + 2 * padY - dilationY * (kernelH - 1) - 1) / strideY) + 1;
  const columns = Math.floor((width + 2 * padX - dilationX * (kernelW - 1) - 1) / strideX) + 1;
  if (!(rows > 0 && columns > 0 && Number.isFinite(rows * columns)))
    fail(
      `a kernel of ${kernelH} x ${kernelW} in strides of ${strideY} x ${strideX} gives no output for its input [${shape}]`,
    );
  const { data: weights } = node.weight;
  const step: Step = (x) => {
    const out = new Float32Array(outputs * rows * columns);
    // Most inputs are 0, so each other one is added to all that it reaches.
    const active = Array.from({ length: channels }, (_, c) => {
      const from = c * height * width;
      return Array.from({ length: height * width }, (__, i) => i).filter((i) => x[from + i] !== 0);
    });
    const sums = new Float64Array(rows * columns);
    for (let o = 0; o < outputs; o++) {
      sums.fill(node.bias[o]!);
      const first = Math.floor((o * groups) / outputs) * perGroup;
      for (let k = 0; k < perGroup; k++) {
        const from = (first + k) * height * width;
        for (const i of active[first + k]!) {
          const value = x[from + i]!;
          for (let ky = 0; ky < kernelH; ky++) {
            const row = (Math.floor(i / width) + padY - ky * dilationY) / strideY;
            if (row < 0 || row >= rows || !Number.isInteger(row)) continue;
            for (let kx = 0; kx < kernelW; kx++) {
              const column = ((i % width) + padX - kx * dilationX) / strideX;
              if (column < 0 || column >= columns || !Number.isInteger(column)) continue;
              const weight = weights[((o * perGroup + k) * kernelH + ky) * kernelW + kx]!;
              sums[row * columns + column]! += value * weight;
            }
          }
        }
      }
      out.set(sums, o * rows * columns);
    }
    return out;
  };
  return { shape: [outputs, rows, columns], start: () => step };
}
