import type { NetworkConfig } from '../snn/networks.ts';
import { type Findings, IMPORTABLE } from './answers.ts';
import type { Evidence } from './infer-network.ts';

export type Shapes = Pick<
  NetworkConfig,
  'architecture' | 'input' | 'classes' | 'channels' | 'layers' | 'steps' | 'hidden' | 'votes'
>;

/** Image shape of the two data sets, and the last linear layer of their networks. */
const STILL = {
  mnist: { input: [1, 28, 28], last: 'fc.5.weight' },
  cifar10: { input: [3, 32, 32], last: 'fc.4.weight' },
} as const;

/** The architecture and its sizes, from the names and shapes of tensors. */
export function inferShapes(evidence: Evidence, findings: Findings): Shapes {
  return evidence.tensors.has('static_conv.0.weight')
    ? inferStill(evidence, findings)
    : inferEventFrames(evidence, findings);
}

function inferEventFrames(evidence: Evidence, findings: Findings): Shapes {
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

function inferStill(evidence: Evidence, findings: Findings): Shapes {
  const [channels, inputs] = shapeOf(evidence, 'static_conv.0.weight', 4, findings);
  const architecture = inputs === 1 ? 'mnist' : 'cifar10';
  const { input, last } = STILL[architecture];
  const { facts, answers } = evidence;
  if (answers.size !== undefined) {
    findings.fail(`it is a network for images of ${input[1]} x ${input[2]}`, 'Leave out --input.');
  }
  const found = facts.steps;
  const otherwise = found ?? answers.steps;
  if (otherwise === undefined) {
    findings.fail(
      'it does not say for how many steps an image is shown',
      'Add --steps T (8 in the PLIF paper).',
    );
  }
  const steps = findings.settle('steps', { found, answer: answers.steps, otherwise, option: '--steps' });
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
