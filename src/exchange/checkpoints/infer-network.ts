import { ReproError } from '../../base/errors.ts';
import { countElements } from '../../formats/tensor.ts';
import type { NetworkConfig } from '../../network/networks.ts';
import { IMPORTABLE, type NetworkFacts } from './module-tree.ts';

interface InferredNetwork {
  readonly network: NetworkConfig;
  /** T that it was trained with; null if the file does not say. */
  readonly trainedSteps: number | null;
  readonly assumptions: readonly Assumption[];
}

/** Something that a checkpoint does not say and that changes the network's answers, and the value used instead. */
export interface Assumption {
  readonly what: string;
}

/** What is known about a network before it is known which one it is. */
interface NetworkEvidence {
  /** Shapes by PyTorch's names. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  readonly facts: NetworkFacts;
  /** `models.DVS128GestureNet` */
  readonly className: string | undefined;
  readonly answers: ImportAnswers;
  readonly file: string;
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

/**
 * Infers which network a checkpoint holds: from the names and shapes of its tensors, then its modules, then the user's
 * answers, and otherwise from the thesis, recording each such assumption that changes the network's answers.
 *
 * @throws {ReproError} `import-unknown` if it is not a network known here, `import-contradiction` if the file refutes an answer
 */
export function inferNetwork(evidence: NetworkEvidence): InferredNetwork {
  return new Inference(evidence).infer();
}

/** Image shape of the two data sets, and the last linear layer of their networks. */
const STILL = {
  mnist: { input: [1, 28, 28], last: 'fc.5.weight' },
  cifar10: { input: [3, 32, 32], last: 'fc.4.weight' },
} as const;

/** The data sets for which the original has networks: pixels in each direction. */
const N_MNIST = 34;
const DVS128 = 128;

class Inference {
  readonly #evidence: NetworkEvidence;
  readonly #assumptions: Assumption[] = [];

  constructor(evidence: NetworkEvidence) {
    this.#evidence = evidence;
  }

  infer(): InferredNetwork {
    const { tensors, facts, answers } = this.#evidence;
    const sizes = tensors.has('static_conv.0.weight') ? this.#inferStill() : this.#inferEventFrames();
    const neurons = this.#inferNeurons();
    const pooling = this.#settle('pooling', '--pooling', facts.pooling, answers.pooling, 'max');
    return {
      network: { ...sizes, ...neurons, pooling, dropout: 0.5 },
      trainedSteps: facts.steps ?? null,
      assumptions: this.#assumptions,
    };
  }

  #inferNeurons(): Pick<NetworkConfig, 'neuron' | 'tau' | 'reset' | 'surrogate' | 'threshold'> {
    const { tensors, facts, answers } = this.#evidence;
    const { resetPotential } = facts;
    const logits = [...tensors].filter(([name]) => name.endsWith('.w')).map(([, tensor]) => tensor);
    const isLearned = logits.length > 0;
    if (isLearned && answers.tau !== undefined) this.#contradict('neuron PLIF, whose τ is learned', '--tau');
    const known = resetPotential === undefined ? undefined : resetPotential === null ? 'soft' : 'hard';
    const kind = this.#settle<'hard' | 'soft'>('reset', '--reset', known, answers.reset, 'hard');
    const threshold = this.#settle('threshold', null, facts.threshold, undefined, 1);
    const mean = isLearned ? 2 : this.#settle('τ', '--tau', facts.fixedTau, answers.tau, 2);
    // Of linear layers, w has the same shape per channel and per neuron.
    const maps = logits.filter(({ shape }) => shape.length === 4);
    const isPerChannel = maps.length > 0 && maps.every(({ shape }) => shape[2] === 1 && shape[3] === 1);
    const isShared = logits.every(({ shape }) => countElements(shape) === 1);
    const per = isShared ? 'layer' : isPerChannel ? 'channel' : 'neuron';
    const learnable =
      facts.learnsSlope ?? [...tensors.keys()].some((name) => name.endsWith('.surrogate_function.alpha'));
    // Detached reset, slope, dropout and initial τ are for training only: the thesis' stand for them.
    return {
      neuron: isLearned ? 'plif' : 'lif',
      tau: { per, mean, std: per === 'layer' ? 0 : 0.1 },
      reset: { kind, detach: true, ...(kind === 'hard' ? { potential: resetPotential ?? 0 } : {}) },
      threshold,
      surrogate: { kind: 'atan', alpha: 2, learnable },
    };
  }

  #inferEventFrames() {
    const { tensors, answers } = this.#evidence;
    if (answers.steps !== undefined) this.#contradict('event frames, which determine the steps', '--steps');
    let layers = 0;
    while (tensors.has(`conv.${4 * layers}.weight`)) layers++;
    const [channels, inputs] = this.#shapeOf('conv.0.weight', 4);
    const [hidden, features] = this.#shapeOf('fc.2.weight', 2);
    const { classes, votes } = this.#inferClasses('fc.5.weight');
    const [height, width] = this.#inferFrameSize(layers, features / channels, classes);
    const input: NetworkConfig['input'] = [inputs, height, width];
    return { input, classes, channels, layers, hidden, votes };
  }

  #inferStill() {
    const { facts, answers } = this.#evidence;
    const [channels, inputs] = this.#shapeOf('static_conv.0.weight', 4);
    const architecture = inputs === 1 ? ('mnist' as const) : ('cifar10' as const);
    const { input, last } = STILL[architecture];
    const found = `${input[1]} x ${input[2]}`;
    if ((answers.size?.join(' x ') ?? found) !== found) this.#contradict(`images of ${found}`, '--input');
    const steps = facts.steps ?? answers.steps;
    if (steps === undefined) {
      this.#fail(
        'it does not say for how many steps an image is shown',
        'Add --steps T (8 in the PLIF paper).',
      );
    }
    if ((answers.steps ?? steps) !== steps) this.#contradict(`steps ${steps}`, '--steps');
    const [hidden] = this.#shapeOf('fc.2.weight', 2);
    return { architecture, input, ...this.#inferClasses(last), channels, steps, hidden };
  }

  #inferClasses(last: string): { classes: number; votes: number } {
    const [outputs] = this.#shapeOf(last, 2);
    const votes = this.#evidence.facts.votes ?? 10;
    if (outputs % votes !== 0) {
      this.#fail(`its ${outputs} output neurons are not a multiple of ${votes} votes per class`);
    }
    return { classes: outputs / votes, votes };
  }

  /**
   * Height and width of the frames that a network takes. Its shapes determine them only up to what pooling rounds away: with
   * two layers, both 32 x 32 and 35 x 35 leave a map of 8 x 8.
   *
   * @param layers poolings that halve, rounding down
   * @param cells pixels of the map after the last pooling
   */
  #inferFrameSize(layers: number, cells: number, classes: number): readonly [number, number] {
    const { tensors, className, answers } = this.#evidence;
    const scale = 2 ** layers;
    const halved = (size: number): number => Math.floor(size / scale);
    // The shape of the first layer's w is [1, C, H, W] if each neuron has its own, and [1, C, 1, 1] if each channel has.
    const [, , height, width] = tensors.get('conv.2.w')?.shape ?? [];
    if (height !== undefined && width !== undefined && height * width > 1) {
      const [answered, found] = [answers.size?.join(' x '), `${height} x ${width}`];
      if ((answered ?? found) !== found) this.#contradict(`frames of ${found}`, '--input');
      return [height, width];
    }
    if (answers.size !== undefined) {
      const [rows, columns] = answers.size;
      if (halved(rows) * halved(columns) === cells) return answers.size;
      this.#fail(
        `frames of ${rows} x ${columns} do not fit: ${layers} layers reduce them to ${halved(rows)} x ${halved(columns)}, ` +
          `but "fc.2.weight" takes ${cells} pixels per channel`,
        'Set --input to the size of the frames that it was trained with.',
      );
    }
    const size = listSizes(className, classes).find((one) => halved(one) ** 2 === cells);
    if (size !== undefined) return [size, size];
    const side = Math.sqrt(cells);
    const smallest = side * scale;
    if (!Number.isInteger(side)) {
      this.#fail(
        `its frames are not square: "fc.2.weight" takes ${cells} pixels per channel`,
        'Give their size: --input HEIGHTxWIDTH.',
      );
    }
    const range = `${smallest} to ${smallest + scale - 1} pixels would fit`;
    this.#assume(`frames of ${smallest} x ${smallest}; ${range}`, '--input');
    return [smallest, smallest];
  }

  /** The first two sizes of a tensor. */
  #shapeOf(name: string, dimensions: number): [number, number] {
    const shape = this.#evidence.tensors.get(name)?.shape;
    if (shape === undefined) this.#fail(`it has no tensor "${name}", so it is not one of the networks here`);
    const [first = 0, second = 0] = shape;
    if (shape.length !== dimensions || first === 0 || second === 0) {
      this.#fail(`"${name}" has shape [${shape.join(', ')}], which no network here has`);
    }
    return [first, second];
  }

  /**
   * Settles a setting: the file decides, then the user, then the thesis.
   *
   * @param option the option of `repro import` that sets this; null if none does
   * @throws {ReproError} `import-contradiction` if file and user disagree
   */
  #settle<T extends string | number>(
    name: string,
    option: string | null,
    found: T | undefined,
    answer: T | undefined,
    otherwise: T,
  ): T {
    if (found !== undefined && answer !== undefined && answer !== found) {
      this.#contradict(`${name} ${found}`, option);
    }
    const known = found ?? answer;
    if (known === undefined) this.#assume(`${name} ${otherwise}, as in the thesis`, option);
    return known ?? otherwise;
  }

  #assume(what: string, option: string | null): void {
    // Names the command, because evaluations show this too and have no such option.
    const remark = option === null ? '' : ` (change it with ./repro import ${option})`;
    this.#assumptions.push({ what: what + remark });
  }

  #contradict(found: string, option: string | null): never {
    throw new ReproError('import-contradiction', `the file says ${found}, but ${option} says otherwise.`, {
      where: this.#evidence.file,
      fix: `Leave out ${option}: it is only for files that do not say this.`,
    });
  }

  #fail(problem: string, fix = IMPORTABLE): never {
    throw new ReproError('import-unknown', `${problem}.`, { where: this.#evidence.file, fix });
  }
}

/** By the class's name or else by the classes: N-MNIST and CIFAR10-DVS have 10, DVS128 Gesture has 11. */
function listSizes(className: string | undefined, classes: number): readonly number[] {
  if (className !== undefined)
    return /NMNIST/i.test(className) ? [N_MNIST] : /DVS/i.test(className) ? [DVS128] : [];
  return { 10: [N_MNIST, DVS128], 11: [DVS128] }[classes] ?? [];
}
