import type { TorchTensor } from '../formats/torch-pt.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { type Assumption, Findings, type ImportAnswers } from './answers.ts';
import { inferShapes } from './infer-shapes.ts';
import type { NetworkFacts } from './network-facts.ts';

export interface InferredNetwork {
  readonly network: NetworkConfig;
  /** T that it was trained with, where the file says so. */
  readonly trainedSteps: number | null;
  readonly assumptions: readonly Assumption[];
}

/** What is known of a network before it is known which one it is. */
export interface Evidence {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly facts: NetworkFacts;
  /** `models.DVS128GestureNet` */
  readonly className: string | undefined;
  readonly answers: ImportAnswers;
  readonly file: string;
}

/** The surrogates of SpikingJelly that are known here. */
const SURROGATES: Readonly<Record<string, 'atan' | 'sigmoid'>> = { ATan: 'atan', Sigmoid: 'sigmoid' };

/**
 * Works out what network a checkpoint is of: from the names and shapes of its tensors, from what its modules say, from what a person
 * says, and where none of them says anything, from the thesis, with a note.
 *
 * @throws {ReproError} `import-unknown` if it is of none that is known here, `import-contradiction` for an answer that the file refutes
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
  const dropout = findings.settle('dropout', {
    found: evidence.facts.dropout,
    otherwise: 0.5,
    option: null,
    matters: 'training',
  });
  const network = { ...shapes, ...neurons, pooling, dropout };
  return { network, trainedSteps: evidence.facts.steps ?? null, assumptions: findings.assumptions };
}

type Neurons = Pick<NetworkConfig, 'neuron' | 'tau' | 'reset' | 'surrogate' | 'threshold'>;

function inferNeurons({ tensors, facts, answers }: Evidence, findings: Findings): Neurons {
  const logits = [...tensors].filter(([name]) => name.endsWith('.w')).map(([, tensor]) => tensor);
  const neuron = logits.length > 0 ? 'plif' : 'lif';
  const per = logits.some(({ shape }) => countOf(shape) > 1) ? 'neuron' : 'layer';
  if (neuron === 'plif' && answers.tau !== undefined) {
    findings.contradict('the neurons learn their τ', 'themselves', '--tau');
  }
  const reset = inferReset(facts, answers, findings);
  const threshold = findings.settle('threshold', { found: facts.threshold, otherwise: 1, option: null });
  return {
    neuron,
    tau: neuron === 'lif' ? inferFixedTau(facts, answers, findings) : inferStart(facts, per, findings),
    reset,
    threshold,
    surrogate: inferSurrogate(tensors, facts, findings),
  };
}

function inferFixedTau(
  facts: NetworkFacts,
  { tau }: ImportAnswers,
  findings: Findings,
): NetworkConfig['tau'] {
  const mean = findings.settle('τ', { found: facts.fixedTau, answer: tau, otherwise: 2, option: '--tau' });
  return { per: 'layer', mean, std: 0 };
}

/** Where τ started from is of no account once it has been learned. */
function inferStart(facts: NetworkFacts, per: 'layer' | 'neuron', findings: Findings): NetworkConfig['tau'] {
  const matters = 'training';
  const settle = (name: string, found: number | undefined, otherwise: number): number =>
    findings.settle(name, { found, otherwise, option: null, matters });
  const start = facts.initialTau !== undefined && facts.initialTau > 1 ? facts.initialTau : undefined;
  const mean = settle('τ’s start', start, 2);
  const std = per === 'layer' ? 0 : settle('the standard deviation of τ’s start', facts.initialTauStd, 0.1);
  return { per, mean, std };
}

function inferReset(facts: NetworkFacts, answers: ImportAnswers, findings: Findings): NetworkConfig['reset'] {
  const { resetPotential, detachReset } = facts;
  const known = resetPotential === undefined ? undefined : resetPotential === null ? 'soft' : 'hard';
  const kind = findings.settle('reset', {
    found: known,
    answer: answers.reset,
    otherwise: 'hard' as 'hard' | 'soft',
    option: '--reset',
  });
  const detach = findings.settle('detached reset', {
    found: detachReset,
    otherwise: true,
    option: null,
    matters: 'training',
  });
  return kind === 'hard' ? { kind, detach, potential: resetPotential ?? 0 } : { kind, detach };
}

function inferSurrogate(
  tensors: ReadonlyMap<string, TorchTensor>,
  { surrogate }: NetworkFacts,
  findings: Findings,
): NetworkConfig['surrogate'] {
  const matters = 'training';
  const found = SURROGATES[surrogate?.className ?? ''];
  if (surrogate !== undefined && found === undefined) {
    findings.assume(
      `surrogate atan in place of ${surrogate.className}, which is not known here`,
      null,
      matters,
    );
  }
  const kind =
    surrogate !== undefined
      ? (found ?? 'atan')
      : findings.settle('surrogate', { found, otherwise: 'atan', option: null, matters });
  const learnable =
    surrogate?.learnable ?? [...tensors.keys()].some((name) => name.endsWith('.surrogate_function.alpha'));
  // A slope that is learned is one of the tensors; what it started from is of no account.
  if (learnable) return { kind, alpha: 2, learnable };
  const alpha = findings.settle('slope', { found: surrogate?.alpha, otherwise: 2, option: null, matters });
  return { kind, alpha, learnable };
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
