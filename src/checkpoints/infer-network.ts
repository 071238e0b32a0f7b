import type { NetworkConfig } from '../snn/networks.ts';
import { countElements } from '../snn/tensor.ts';
import { quoteName } from '../text.ts';
import { type Assumption, Findings, type ImportAnswers } from './answers.ts';
import { inferShapes } from './infer-shapes.ts';
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
  const pooling = findings.settle('pooling', {
    found: evidence.facts.pooling,
    answer: evidence.answers.pooling,
    otherwise: 'max',
    option: '--pooling',
  });
  const dropout = findings.settleForTraining('dropout', evidence.facts.dropout, 0.5);
  const network = { ...shapes, ...neurons, pooling, dropout };
  return { network, trainedSteps: evidence.facts.steps ?? null, assumptions: findings.assumptions };
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
  const threshold = findings.settle('threshold', { found: facts.threshold, otherwise: 1, option: null });
  const fixed = () =>
    findings.settle('τ', { found: facts.fixedTau, answer: answers.tau, otherwise: 2, option: '--tau' });
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
  const kind = findings.settle<'hard' | 'soft'>('reset', {
    found: known,
    answer: answers.reset,
    otherwise: 'hard',
    option: '--reset',
  });
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
