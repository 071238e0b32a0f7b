import { ReproError } from '../../../base/errors.ts';
import { ShapeError } from '../../../formats/tensor.ts';
import { buildNetwork, type NetworkConfig } from '../../networks.ts';
import type { NetworkSpec } from '../../spec.ts';
import { addBackward, gradientSpace } from './backward.ts';
import { divideIntoBlocks, type NetworkBlock } from './blocks.ts';
import {
  addForward,
  addFrames,
  addFrozenTable,
  type BatchKind,
  type Building,
  type Computed,
} from './forward.ts';
import { logitRows } from './kernels/current.ts';
import { lossGradient, type VoteShape, vote } from './kernels/head.ts';
import { padded } from './kernels/kernel.ts';
import { adamKernel, tauVariance, VARIANCE_PARTS } from './kernels/parameters.ts';
import { ParameterMap } from './parameters.ts';
import { Program, type Space } from './program.ts';

/**
 * Backward, a thread keeps 16 bytes for each step in variables of its own (kernels/fire-backward.ts) and less than 192 besides. WGSL promises 8,192 bytes
 * to a function (limit of the `function` address space); of more, nothing is known before a driver fails.
 */
const MOST_STEPS = 500;

/** A network's blocks and parameters on a GPU, and the programs that compute its batches. */
export class NetworkPlan {
  readonly blocks: readonly NetworkBlock[];
  readonly parameters: ParameterMap;
  readonly #spec: NetworkSpec;
  readonly #group: number;

  /** @throws {ShapeError} if the layers come in an order that this engine does not compute */
  constructor(spec: NetworkSpec) {
    const { blocks, group } = divideIntoBlocks(spec);
    this.#spec = spec;
    this.blocks = blocks;
    this.#group = group;
    this.parameters = new ParameterMap(spec, blocks);
  }

  /** The blocks with several τ, which the regulariser holds together. @param lambdas of each block */
  regularised(lambdas: readonly number[]): { readonly block: NetworkBlock; readonly lambda: number }[] {
    return this.blocks.flatMap((block, i) => {
      const lambda = lambdas[i] ?? 0;
      return lambda === 0 || logitRows(block.neuron.neuron, 1) === 0 ? [] : [{ block, lambda }];
    });
  }

  /** @throws {ReproError} `gpu-limit` for a training step of too many time steps */
  program(kind: BatchKind): Program {
    const { blocks, parameters } = this;
    const building: Building = { program: new Program(), spec: this.#spec, parameters, kind };
    const { training } = kind;
    if (training !== undefined && kind.steps > MOST_STEPS) {
      throw new ReproError(
        'gpu-limit',
        `Training with T = ${kind.steps} needs more memory for each thread than every GPU is sure to have; T is at most ${MOST_STEPS} with engine webgpu.`,
        { fix: 'Use fewer steps, or another engine (`train.engine`).' },
      );
    }
    if (training === undefined) for (const block of blocks) addFrozenTable(building, block);
    const computed: Computed[] = [];
    let flow = addFrames(building, blocks[0] as NetworkBlock);
    for (const block of blocks) {
      const added = addForward(building, block, flow);
      computed.push(added.computed);
      flow = added.output;
    }
    const shape: VoteShape = {
      steps: kind.steps,
      classes: this.#spec.classes,
      group: this.#group,
      loss: training?.loss ?? 'rate',
    };
    addVotes(building, shape, flow);
    if (training === undefined) return building.program;
    const ofSpikes = addLoss(building, shape, blocks.length);
    computed.reduceRight((after, one, i) => addBackward(building, one, after, i), ofSpikes);
    for (const { block, lambda } of this.regularised(training.lambdas))
      addRegulariser(building, block, training.regularise, lambda);
    addAdam(building, training.tauRate);
    return building.program;
  }
}

function addVotes({ program }: Building, shape: VoteShape, spikes: Space): void {
  const { steps, classes } = shape;
  const outputs = program.space('kept', 'outputs', steps * classes);
  const rates = program.space('kept', 'rates', classes);
  program.add('slice', 'vote', vote(shape), { spikes, outputs, rates });
}

/** @returns the gradient of the last block's spikes */
function addLoss({ program }: Building, shape: VoteShape, blocks: number): Space {
  const { steps, classes, group, loss } = shape;
  const result = gradientSpace(program, blocks, steps * padded(classes * group));
  program.add('slice', 'loss', lossGradient(shape), {
    scores:
      loss === 'rate'
        ? program.space('kept', 'rates', classes)
        : program.space('kept', 'outputs', steps * classes),
    labels: program.space('kept', 'labels', 1),
    result,
  });
  return result;
}

/** @throws {ShapeError} if the layer has one neuron, whose variance is undefined */
function addRegulariser(
  { program, parameters }: Building,
  { neuron, fired }: NetworkBlock,
  of: 'w' | 'tau',
  lambda: number,
): void {
  const rows = logitRows(neuron.neuron, fired.height * fired.width);
  if (rows * fired.channels < 2) {
    throw new ShapeError("the regulariser needs the variance of a layer's time constants: at least 2, got 1");
  }
  const buffers = {
    neuron: parameters.space(`${neuron.name}.w`, 'values'),
    gradient: parameters.space(`${neuron.name}.w`, 'gradients'),
    parts: program.space('fixed', 'variance parts', 4 * VARIANCE_PARTS),
    moments: program.space('fixed', `${neuron.name} moments`, 2),
  };
  const { sums, variance, gradient } = tauVariance({ channels: fired.channels, rows, lambda, of });
  for (const kernel of [sums, variance, gradient]) program.add('batch', neuron.name, kernel, buffers);
}

function addAdam({ program, parameters }: Building, tauRate: number): void {
  const size = parameters.sizes.values;
  const whole = (arena: 'values' | 'gradients' | 'first' | 'second'): Space => {
    return { kind: 'arena', arena, offset: 0, size };
  };
  program.add('batch', 'all parameters', adamKernel(size, parameters.taus, tauRate), {
    values: whole('values'),
    gradients: whole('gradients'),
    first: whole('first'),
    second: whole('second'),
  });
}

const common: Omit<NetworkConfig, 'input'> = {
  classes: 3,
  channels: 32,
  neuron: 'plif',
  tau: { per: 'neuron', mean: 2, std: 0 },
  reset: { kind: 'hard', detach: true },
  surrogate: { kind: 'atan', alpha: 2, learnable: true },
  pooling: 'max',
};
const frames: NetworkConfig = { ...common, input: [2, 32, 32], layers: 3 };
const images: NetworkConfig = {
  ...common,
  ...{ architecture: 'mnist', input: [1, 28, 28], steps: 2, neuron: 'lif', pooling: 'average' },
  ...{ tau: { per: 'layer', mean: 2, std: 0 }, reset: { kind: 'soft', detach: false } },
  surrogate: { kind: 'triangle', alpha: 2, learnable: true },
};
const others: NetworkConfig = {
  ...frames,
  recurrent: true,
  tau: { per: 'channel', mean: 2, std: 0 },
  surrogate: { kind: 'sigmoid', alpha: 2, learnable: false },
};

let known: string | undefined;

/** 12 hexadecimal digits of the kernels' code, as three networks use it that have all of them: what may change numbers from one version to another. */
export function kernelDigest(): string {
  known ??= digest([frames, images, others].flatMap((config) => listCodes(config)).join('\n'));
  return known;
}

function listCodes(config: NetworkConfig): string[] {
  const plan = new NetworkPlan(buildNetwork(config));
  const lambdas = plan.blocks.map(() => 0.1);
  const programs = [
    plan.program({ steps: 2, type: 'uint16', training: undefined }),
    plan.program({
      steps: 2,
      type: 'uint8',
      training: { loss: 'rate', regularise: 'w', lambdas, tauRate: 1 },
    }),
    plan.program({
      steps: 2,
      type: 'float32',
      training: { loss: 'step', regularise: 'tau', lambdas, tauRate: 2 },
    }),
  ];
  return programs.flatMap(({ phases }) =>
    phases.flatMap(({ passes }) => passes.map(({ kernel }) => kernel.code)),
  );
}

/** FNV-1a, which needs nothing of Node.js. */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return (hash >> 16n).toString(16).padStart(12, '0');
}
