import { setTauFactor } from './edits.ts';
import { type Edits, type FrameOrder, NO_EDITS, type TauEdit, type ViewState } from './view-state.ts';

/** What there is to see: anything else in an address is ignored. */
export interface Scope {
  readonly models: number;
  readonly clips: readonly string[];
  /** T */
  readonly steps: number;
  /** Neurons in each spiking layer of a model. */
  readonly neurons: (model: number) => readonly number[];
}

/** The range of each change, in the controls and in addresses. */
export const LIMITS = { factor: [0.25, 4], threshold: [0.2, 3] } as const;

const ORDERS: readonly FrameOrder[] = ['as-is', 'reversed', 'shuffled', 'frozen'];
const SHOWN: readonly ViewState['show'][] = ['spikes', 'potential', 'tau'];

/**
 * A view as the fragment of an address, such as `#model=0&clip=test-17&step=5&show=spikes&neuron=1.234&tau=all*0.5_1.234*2`. Layers and
 * neurons count from 0; what is as trained is left out.
 */
export function formatAddress({
  model,
  beside,
  clip,
  step,
  order,
  frozenAt,
  show,
  neuron,
  edits,
}: ViewState): string {
  const parts = {
    model,
    beside,
    clip: encodeURIComponent(clip),
    step,
    order: order === 'as-is' ? null : order === 'frozen' ? `frozen.${frozenAt}` : order,
    show,
    neuron: neuron === null ? null : `${neuron.layer}.${neuron.index}`,
    tau: edits.tau.length === 0 ? null : edits.tau.map(formatTau).join('_'),
    threshold: edits.threshold,
    reset: edits.reset,
  };
  const written = Object.entries(parts).filter(([, value]) => value !== null);
  return `#${written.map(([key, value]) => `${key}=${value}`).join('&')}`;
}

function formatTau({ layer, neuron, factor }: TauEdit): string {
  return `${layer ?? 'all'}${neuron === null ? '' : `.${neuron}`}*${factor}`;
}

/** The view of an address. What is missing or impossible is as in `fallback`; a changed neuron that does not exist is left out. */
export function parseAddress(address: string, scope: Scope, fallback: ViewState): ViewState {
  const parts = new URLSearchParams(address.replace(/^#/, ''));
  const number = (key: string, below: number): number | null => readIndex(parts.get(key), below);
  const model = number('model', scope.models) ?? fallback.model;
  const clip = parts.get('clip') ?? '';
  const [order, frozenAt] = (parts.get('order') ?? '').split('.');
  const neurons = scope.neurons(model);
  return {
    model,
    beside: number('beside', scope.models) ?? fallback.beside,
    clip: scope.clips.includes(clip) ? clip : fallback.clip,
    step: number('step', scope.steps) ?? fallback.step,
    order: ORDERS.find((one) => one === order) ?? fallback.order,
    frozenAt: readIndex(frozenAt, scope.steps) ?? fallback.frozenAt,
    show: SHOWN.find((one) => one === parts.get('show')) ?? fallback.show,
    neuron: readNeuron(parts.get('neuron'), neurons) ?? fallback.neuron,
    edits: readEdits(parts, neurons),
  };
}

function readEdits(parts: URLSearchParams, neurons: readonly number[]): Edits {
  const reset = parts.get('reset');
  const changes = (parts.get('tau') ?? '').split('_').flatMap((text) => readTau(text, neurons));
  return {
    tau: changes.reduce(setTauFactor, NO_EDITS).tau,
    threshold: readBetween(parts.get('threshold'), LIMITS.threshold),
    reset: reset === 'hard' || reset === 'soft' ? reset : null,
  };
}

function readTau(text: string, neurons: readonly number[]): TauEdit[] {
  const [target = '', factorText] = text.split('*');
  const factor = readBetween(factorText, LIMITS.factor);
  if (factor === null) return [];
  if (target === 'all') return [{ layer: null, neuron: null, factor }];
  const one = readNeuron(target, neurons);
  if (one !== null) return [{ layer: one.layer, neuron: one.index, factor }];
  const layer = readIndex(target, neurons.length);
  return layer === null ? [] : [{ layer, neuron: null, factor }];
}

function readNeuron(text: string | null, neurons: readonly number[]): ViewState['neuron'] {
  const [layerText, indexText] = (text ?? '').split('.');
  const layer = readIndex(layerText, neurons.length);
  const index = layer === null ? null : readIndex(indexText, neurons[layer]!);
  return layer === null || index === null ? null : { layer, index };
}

function readIndex(text: string | null | undefined, below: number): number | null {
  return text != null && /^\d{1,9}$/.test(text) && Number(text) < below ? Number(text) : null;
}

function readBetween(text: string | null | undefined, [low, high]: readonly [number, number]): number | null {
  const value = text == null || text === '' ? Number.NaN : Number(text);
  return value >= low && value <= high ? value : null;
}
