import type { NetworkConfig } from '../snn/networks.ts';
import { tauOfLogit } from '../snn/neurons.ts';
import type { State } from '../snn/tensor.ts';
import { escapeControls, formatPercent, listSome } from '../text.ts';
import type { CheckpointEvaluation } from './evaluate-checkpoint.ts';
import type { ImportOutcome } from './import-export.ts';

const FORMATS = {
  zip: 'zip format',
  safetensors: 'safetensors',
} as const;

/** A line of a description. */
export type Line = readonly [topic: string, text: string];

/** What an import found, safe to print whatever the file's names are. */
export function describeImport({ checkpoint, description, folder, files }: ImportOutcome): Line[] {
  const { network, state, curves, claims, assumptions, warnings, trainedSteps } = checkpoint;
  const { source } = description;
  const what = source.class ?? 'a state_dict (tensors without modules)';
  const tags = [...new Set(curves.map(({ tag }) => tag))];
  const steps = trainedSteps === null ? [] : [`T = ${trainedSteps}`];
  const claimed = [...steps, ...Object.entries(claims).map(([name, value]) => `${name} ${value}`)];
  const lines: Line[] = [
    ['file', `${what}, ${FORMATS[source.format]}, sha256 ${source.sha256}`],
    ['network', describeNetwork(network)],
    ['neurons', describeNeurons(network, state)],
    ...(claimed.length > 0 ? [['it says', claimed.join(', ')] as const] : []),
    ...(curves.length > 0 ? [['curves', `${curves.length} points of ${listSome(tags, 12)}`] as const] : []),
    ...assumptions.map(({ what: taken }): Line => ['assumed', taken]),
    ...warnings.map((text): Line => ['warning', text]),
    ['written', `${folder}: ${files.join(', ')}`],
  ];
  return lines.map(([topic, text]): Line => [topic, escapeControls(text)]);
}

/** Accuracy and loss, and the clips they were measured on. */
export function describeEvaluation(evaluation: CheckpointEvaluation): Line[] {
  const { split, clips, correct, accuracy, interval, loss, dataset, simulated, steps } = evaluation;
  const bounds = `${(100 * interval.low).toFixed(1)} to ${formatPercent(interval.high)}`;
  return [
    ['clips', `${clips} ${split} clips of ${dataset}, ${steps === 1 ? '1 frame' : `${steps} frames`} each`],
    ...(simulated
      ? [['simulated', 'these recordings are simulated: the figures say nothing about real ones'] as const]
      : []),
    ['accuracy', `${correct} of ${clips}, ${formatPercent(accuracy)}; 95 % Wilson interval ${bounds}`],
    ['loss', loss.toPrecision(4)],
  ];
}

function describeNetwork({
  architecture,
  input,
  classes,
  layers,
  channels,
  pooling,
  hidden,
  steps,
}: NetworkConfig): string {
  const size = input.join(' x ');
  const shown =
    architecture === undefined || architecture === 'event-frames'
      ? `event frames ${size}`
      : `${architecture}, images ${size}`;
  const blocks = layers === undefined ? '' : `${layers} layers of `;
  const times = steps === undefined ? '' : `, shown for ${steps} steps`;
  return `${shown}${times}; ${blocks}${channels} channels, ${pooling} pooling, ${hidden ?? 'default'} hidden, ${classes} classes`;
}

function describeNeurons(
  { neuron, tau, reset, surrogate, threshold = 1 }: NetworkConfig,
  state: State,
): string {
  const logits = [...state].flatMap(([name, { data }]) => (name.endsWith('.w') ? [...data].map(Number) : []));
  const taus = logits.map(tauOfLogit);
  const range = [reduce(taus, Math.min), reduce(taus, Math.max)].map((value) => value.toPrecision(3));
  const constant =
    neuron === 'lif'
      ? `LIF, τ = ${tau.mean}`
      : `PLIF, one τ per ${tau.per}, now ${[...new Set(range)].join(' to ')} steps`;
  const back = reset.kind === 'hard' ? `hard reset to ${reset.potential ?? 0}` : 'soft reset';
  const slope = surrogate.learnable ? 'with a learned slope' : `with slope ${surrogate.alpha}`;
  return `${constant}; threshold ${threshold}, ${back}${reset.detach ? ', detached' : ''}; surrogate ${surrogate.kind} ${slope}`;
}

/** Spreading into `Math.min` would put millions of arguments on the stack. */
function reduce(values: readonly number[], choose: (a: number, b: number) => number): number {
  return values.reduce((a, b) => choose(a, b), values[0] ?? Number.NaN);
}
