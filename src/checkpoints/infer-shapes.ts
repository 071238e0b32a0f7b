import type { NetworkConfig } from '../snn/networks.ts';
import { type Findings, IMPORTABLE } from './answers.ts';
import { inferFrameSize } from './frame-size.ts';
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
  const { tensors, answers, className } = evidence;
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
  const [height, width] = inferFrameSize(
    {
      layers,
      cells: features / channels,
      perNeuron: tensors.get('conv.2.w')?.shape,
      classes,
      className,
      answer: answers.size,
    },
    findings,
  );
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
  if (facts.steps !== undefined && answers.steps !== undefined && facts.steps !== answers.steps) {
    findings.contradict('steps', String(facts.steps), '--steps');
  }
  const steps = facts.steps ?? answers.steps;
  if (steps === undefined) {
    findings.fail(
      'it does not say for how many steps an image is shown',
      'Add --steps T (8 in the PLIF paper).',
    );
  }
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
