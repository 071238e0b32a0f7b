import { ReproError } from '../errors.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { countElements } from '../snn/tensor.ts';
import { quoteName } from '../text.ts';
import type { NetworkFacts } from './network-facts.ts';

type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

export interface InferredNetwork {
  readonly network: NetworkConfig;
  /** T that it was trained with; null if the file does not say. */
  readonly trainedSteps: number | null;
  readonly assumptions: readonly Assumption[];
}

/** What is known about a network before it is known which one it is. */
export interface Evidence {
  /** Shapes by PyTorch's names. */
  readonly tensors: Shapes;
  readonly facts: NetworkFacts;
  /** `models.DVS128GestureNet` */
  readonly className: string | undefined;
  readonly answers: ImportAnswers;
  readonly file: string;
}

/** SpikingJelly's surrogates that exist here. */
const SURROGATES: Readonly<Record<string, 'atan' | 'sigmoid'>> = { ATan: 'atan', Sigmoid: 'sigmoid' };

/**
 * Infers which network a checkpoint holds: from the names and shapes of its tensors, then its modules, then the user's
 * answers, and otherwise from the thesis, recording each such assumption.
 *
 * @throws {ReproError} `import-unknown` if it is not a network known here, `import-contradiction` if the file refutes an answer
 */
export function inferNetwork(evidence: Evidence): InferredNetwork {
  const findings = new Findings(evidence.file);
  const shapes = inferShapes(evidence, findings);
  const neurons = inferNeurons(evidence, findings);
  const { facts, answers } = evidence;
  const pooling = findings.settle('pooling', '--pooling', facts.pooling, answers.pooling, 'max');
  const dropout = findings.settleForTraining('dropout', facts.dropout, 0.5);
  const network = { ...shapes, ...neurons, pooling, dropout };
  return { network, trainedSteps: facts.steps ?? null, assumptions: findings.assumptions };
}

type Neurons = Pick<NetworkConfig, 'neuron' | 'tau' | 'reset' | 'surrogate' | 'threshold'>;

function inferNeurons({ tensors, facts, answers }: Evidence, findings: Findings): Neurons {
  const logits = [...tensors].filter(([name]) => name.endsWith('.w')).map(([, tensor]) => tensor);
  const neuron = logits.length > 0 ? 'plif' : 'lif';
  const per = logits.some(({ shape }) => countElements(shape) > 1) ? 'neuron' : 'layer';
  if (neuron === 'plif' && answers.tau !== undefined) {
    findings.contradict('neuron', 'PLIF, whose τ is learned', '--tau');
  }
  const reset = inferReset(facts, answers, findings);
  const threshold = findings.settle('threshold', null, facts.threshold, undefined, 1);
  const fixed = () => findings.settle('τ', '--tau', facts.fixedTau, answers.tau, 2);
  return {
    neuron,
    tau: neuron === 'lif' ? { per: 'layer', mean: fixed(), std: 0 } : inferStart(facts, per, findings),
    reset,
    threshold,
    surrogate: inferSurrogate(tensors, facts, findings),
  };
}

/** Where τ started does not matter once it has been learned. */
function inferStart(facts: NetworkFacts, per: 'layer' | 'neuron', findings: Findings): NetworkConfig['tau'] {
  const start = facts.initialTau !== undefined && facts.initialTau > 1 ? facts.initialTau : undefined;
  const mean = findings.settleForTraining('initial τ', start, 2);
  const name = 'standard deviation of the initial τ';
  const std = per === 'layer' ? 0 : findings.settleForTraining(name, facts.initialTauStd, 0.1);
  return { per, mean, std };
}

function inferReset(facts: NetworkFacts, answers: ImportAnswers, findings: Findings): NetworkConfig['reset'] {
  const { resetPotential, detachReset } = facts;
  const known = resetPotential === undefined ? undefined : resetPotential === null ? 'soft' : 'hard';
  const kind = findings.settle<'hard' | 'soft'>('reset', '--reset', known, answers.reset, 'hard');
  const detach = findings.settleForTraining('detached reset', detachReset, true);
  return kind === 'hard' ? { kind, detach, potential: resetPotential ?? 0 } : { kind, detach };
}

function inferSurrogate(
  tensors: Shapes,
  { surrogate }: NetworkFacts,
  findings: Findings,
): NetworkConfig['surrogate'] {
  let kind = SURROGATES[surrogate?.className ?? ''];
  if (surrogate !== undefined && kind === undefined) {
    const unknown = `surrogate atan instead of ${quoteName(surrogate.className)}, which is unknown here`;
    findings.assume(unknown, null, 'training');
    kind = 'atan';
  }
  kind = findings.settleForTraining('surrogate', kind, 'atan');
  const learnable =
    surrogate?.learnable ?? [...tensors.keys()].some((name) => name.endsWith('.surrogate_function.alpha'));
  // A learned slope is one of the tensors; its initial value does not matter.
  if (learnable) return { kind, alpha: 2, learnable };
  return { kind, alpha: findings.settleForTraining('slope', surrogate?.alpha, 2), learnable };
}

/** What the user says about a checkpoint that does not say it itself. */
export interface ImportAnswers {
  readonly pooling?: 'max' | 'average' | undefined;
  /** τ of LIF neurons, in time steps. */
  readonly tau?: number | undefined;
  readonly reset?: 'hard' | 'soft' | undefined;
  /** Frame size in pixels, [height, width]. */
  readonly size?: readonly [number, number] | undefined;
  /** T of a network for still images. */
  readonly steps?: number | undefined;
}

/** Something that a checkpoint does not say, and the value used instead. */
export interface Assumption {
  readonly what: string;
  /** Whether it changes the network's answers, or only how it would be trained further. */
  readonly matters: 'evaluation' | 'training';
}

/** The fix for a network that cannot be imported. */
export const IMPORTABLE = 'docs/checkpoints.md describes the networks that can be imported.';

/** Settles each setting: the file decides, then the user, then the thesis. Records every default taken from the thesis. */
class Findings {
  readonly #file: string;
  readonly assumptions: Assumption[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param option the option of `repro import` that sets this; null if none does
   * @throws {ReproError} `import-contradiction` if file and user disagree
   */
  settle<T extends string | number | boolean>(
    name: string,
    option: string | null,
    found: T | undefined,
    answer: T | undefined,
    otherwise: T,
  ): T {
    if (found !== undefined && answer !== undefined && answer !== found) {
      this.contradict(name, String(found), option);
    }
    const known = found ?? answer;
    if (known === undefined) this.assume(`${name} ${String(otherwise)}, as in the thesis`, option);
    return known ?? otherwise;
  }

  /** As `settle`, for a setting that changes only how the network would be trained further. */
  settleForTraining<T extends string | number | boolean>(
    name: string,
    found: T | undefined,
    otherwise: T,
  ): T {
    if (found === undefined) this.assume(`${name} ${String(otherwise)}, as in the thesis`, null, 'training');
    return found ?? otherwise;
  }

  assume(what: string, option: string | null, matters: Assumption['matters'] = 'evaluation'): void {
    // Names the command, because evaluations show this too and have no such option.
    const remark = option === null ? '' : ` (change it with repro import ${option})`;
    this.assumptions.push({ what: what + remark, matters });
  }

  contradict(name: string, found: string, option: string | null): never {
    throw new ReproError(
      'import-contradiction',
      `the file says ${name} ${found}, but ${option} says otherwise.`,
      { where: this.#file, fix: `Leave out ${option}: it is for files that do not say.` },
    );
  }

  fail(problem: string, fix: string): never {
    throw new ReproError('import-unknown', `${problem}.`, { where: this.#file, fix });
  }
}

type Sizes = Pick<
  NetworkConfig,
  'architecture' | 'input' | 'classes' | 'channels' | 'layers' | 'steps' | 'hidden' | 'votes'
>;

/** Image shape of the two data sets, and the last linear layer of their networks. */
const STILL = {
  mnist: { input: [1, 28, 28], last: 'fc.5.weight' },
  cifar10: { input: [3, 32, 32], last: 'fc.4.weight' },
} as const;

/** The architecture and its sizes, from the names and shapes of tensors. */
function inferShapes(evidence: Evidence, findings: Findings): Sizes {
  return evidence.tensors.has('static_conv.0.weight')
    ? inferStill(evidence, findings)
    : inferEventFrames(evidence, findings);
}

function inferEventFrames(evidence: Evidence, findings: Findings): Sizes {
  const { tensors, answers } = evidence;
  if (answers.steps !== undefined) {
    findings.fail(
      'it is a network for event frames: it takes as many steps as there are frames',
      'Leave out --steps.',
    );
  }
  let layers = 0;
  while (tensors.has(`conv.${4 * layers}.weight`)) layers++;
  const [channels, inputs] = shapeOf(evidence, 'conv.0.weight', 4, findings);
  const [hidden, features] = shapeOf(evidence, 'fc.2.weight', 2, findings);
  const { classes, votes } = inferClasses(evidence, 'fc.5.weight', findings);
  const size = { layers, cells: features / channels, classes };
  const [height, width] = inferFrameSize(evidence, size, findings);
  return { input: [inputs, height, width], classes, channels, layers, hidden, votes };
}

function inferStill(evidence: Evidence, findings: Findings): Sizes {
  const [channels, inputs] = shapeOf(evidence, 'static_conv.0.weight', 4, findings);
  const architecture = inputs === 1 ? 'mnist' : 'cifar10';
  const { input, last } = STILL[architecture];
  const { facts, answers } = evidence;
  if (answers.size !== undefined) {
    findings.fail(`it is a network for images of ${input[1]} x ${input[2]}`, 'Leave out --input.');
  }
  const steps = facts.steps ?? answers.steps;
  if (steps === undefined) {
    findings.fail(
      'it does not say for how many steps an image is shown',
      'Add --steps T (8 in the PLIF paper).',
    );
  }
  if ((answers.steps ?? steps) !== steps) findings.contradict('steps', String(steps), '--steps');
  const [hidden] = shapeOf(evidence, 'fc.2.weight', 2, findings);
  return { architecture, input, ...inferClasses(evidence, last, findings), channels, steps, hidden };
}

function inferClasses(
  evidence: Evidence,
  last: string,
  findings: Findings,
): { classes: number; votes: number } {
  const [outputs] = shapeOf(evidence, last, 2, findings);
  const votes = evidence.facts.votes ?? 10;
  if (outputs % votes !== 0) {
    findings.fail(`its ${outputs} output neurons are not a multiple of ${votes} votes per class`, IMPORTABLE);
  }
  return { classes: outputs / votes, votes };
}

/** The first two sizes of a tensor. */
function shapeOf(
  { tensors }: Evidence,
  name: string,
  dimensions: number,
  findings: Findings,
): [number, number] {
  const shape = tensors.get(name)?.shape;
  if (shape === undefined) {
    findings.fail(`it has no tensor "${name}", so it is not one of the networks here`, IMPORTABLE);
  }
  const [first = 0, second = 0] = shape;
  if (shape.length !== dimensions || first === 0 || second === 0) {
    findings.fail(`"${name}" has shape [${shape.join(', ')}], as in no network here`, IMPORTABLE);
  }
  return [first, second];
}

/** The data sets for which the original has networks: pixels in each direction. */
const N_MNIST = 34;
const DVS128 = 128;

/**
 * Height and width of the frames that a network takes. Its shapes determine them only up to what pooling rounds away: with
 * two layers, both 32 x 32 and 35 x 35 leave a map of 8 x 8.
 */
function inferFrameSize(
  { tensors, className, answers: { size: answer } }: Evidence,
  {
    layers,
    cells,
    classes,
  }: {
    /** Poolings that halve, rounding down. */
    readonly layers: number;
    /** Pixels of the map after the last pooling. */
    readonly cells: number;
    readonly classes: number;
  },
  findings: Findings,
): [number, number] {
  // The shape of the first layer's w is [1, C, H, W] if each neuron has its own.
  const perNeuron = tensors.get('conv.2.w')?.shape;
  const scale = 2 ** layers;
  const fits = (height: number, width: number): boolean =>
    Math.floor(height / scale) * Math.floor(width / scale) === cells;

  const [, , height, width] = perNeuron?.length === 4 ? perNeuron : [];
  if (height !== undefined && width !== undefined) {
    if (answer !== undefined && (answer[0] !== height || answer[1] !== width)) {
      findings.contradict('frames of', `${height} x ${width}`, '--input');
    }
    return [height, width];
  }
  if (answer !== undefined) {
    if (!fits(...answer)) {
      findings.fail(
        `frames of ${answer[0]} x ${answer[1]} do not fit: ${layers} layers reduce them to ${Math.floor(answer[0] / scale)} x ` +
          `${Math.floor(answer[1] / scale)}, but "fc.2.weight" takes ${cells} pixels per channel`,
        'Set --input to the size of the frames that it was trained with.',
      );
    }
    return [...answer];
  }
  const known = listSizes(className, classes);
  const size = known.find((one) => fits(one, one));
  if (size !== undefined) return [size, size];
  const side = Math.sqrt(cells);
  if (!Number.isInteger(side)) {
    findings.fail(
      `its frames are not square: "fc.2.weight" takes ${cells} pixels per channel`,
      'Give their size: --input HEIGHTxWIDTH.',
    );
  }
  const smallest = side * scale;
  findings.assume(
    `frames of ${smallest} x ${smallest}; ${smallest} to ${smallest + scale - 1} pixels would fit`,
    '--input',
  );
  return [smallest, smallest];
}

/** By the class's name or else by the classes: N-MNIST and CIFAR10-DVS have 10, DVS128 Gesture has 11. */
function listSizes(className: string | undefined, classes: number): readonly number[] {
  if (className !== undefined)
    return /NMNIST/i.test(className) ? [N_MNIST] : /DVS/i.test(className) ? [DVS128] : [];
  return { 10: [N_MNIST, DVS128], 11: [DVS128] }[classes] ?? [];
}
