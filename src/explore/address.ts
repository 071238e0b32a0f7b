import type { Edits, ViewState } from './view-state.ts';

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

const ORDERS = ['as-is', 'reversed', 'shuffled'] as const;
const SHOWN: readonly ViewState['show'][] = ['spikes', 'potential', 'tau'];

/**
 * A view as the fragment of an address, such as `#model=0&clip=test-17&step=5&show=spikes&neuron=1.234&tau=all*0.5_1.234*2`. Layers and
 * neurons count from 0; what is as trained is left out.
 */
export function formatAddress({ model, beside, clip, step, order, show, neuron, edits }: ViewState): string {
  const factors = Object.entries(edits.tau);
  const parts = {
    model,
    beside,
    clip: encodeURIComponent(clip),
    step,
    order: order === 'as-is' ? null : typeof order === 'number' ? `frozen.${order}` : order,
    show,
    neuron: neuron === null ? null : `${neuron.layer}.${neuron.index}`,
    tau: factors.length === 0 ? null : factors.map(([target, factor]) => `${target}*${factor}`).join('_'),
    threshold: edits.threshold,
    reset: edits.reset,
  };
  const written = Object.entries(parts).filter(([, value]) => value !== null);
  return `#${written.map(([key, value]) => `${key}=${value}`).join('&')}`;
}

/** The view of an address. What is missing or impossible is as in `fallback`; a changed neuron that does not exist is left out. */
export function parseAddress(address: string, scope: Scope, fallback: ViewState): ViewState {
  const parts = new URLSearchParams(address.replace(/^#/, ''));
  const number = (key: string, below: number): number | null => readIndex(parts.get(key), below);
  const model = number('model', scope.models) ?? fallback.model;
  const clip = parts.get('clip') ?? '';
  const order = parts.get('order');
  const neurons = scope.neurons(model);
  return {
    model,
    beside: number('beside', scope.models) ?? fallback.beside,
    clip: scope.clips.includes(clip) ? clip : fallback.clip,
    step: number('step', scope.steps) ?? fallback.step,
    order:
      ORDERS.find((one) => one === order) ??
      readIndex(order?.replace(/^frozen\./, ''), scope.steps) ??
      fallback.order,
    show: SHOWN.find((one) => one === parts.get('show')) ?? fallback.show,
    neuron: readNeuron(parts.get('neuron'), neurons) ?? fallback.neuron,
    edits: readEdits(parts, neurons),
  };
}

function readEdits(parts: URLSearchParams, neurons: readonly number[]): Edits {
  const reset = parts.get('reset');
  const factors = (parts.get('tau') ?? '').split('_').flatMap((text) => {
    const [target = '', factorText] = text.split('*');
    const factor = readBetween(factorText, LIMITS.factor);
    const isLayer = target === 'all' || readIndex(target, neurons.length) !== null;
    const exists = isLayer || readNeuron(target, neurons) !== null;
    return exists && factor !== null ? [[target, factor] as const] : [];
  });
  return {
    tau: Object.fromEntries(factors),
    threshold: readBetween(parts.get('threshold'), LIMITS.threshold),
    reset: reset === 'hard' || reset === 'soft' ? reset : null,
  };
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
