import type { Neurons } from '../../network/forward.ts';
import { mixSeed, TorchRandom } from '../../network/torch-random.ts';
import type { EmbeddedFrames } from './payload.ts';

/** What the reader changed in the neurons. */
export interface Edits {
  /**
   * What τ is multiplied by: `all` neurons', that of a layer (`1`, from 0), or that of a neuron by its place in [C, H, W] of the layer
   * (`1.234`). Those that apply to a neuron multiply.
   */
  readonly tau: Readonly<Record<string, number>>;
  /** Whether every neuron has its layer's mean τ, before the factors. */
  readonly layerMean: boolean;
  /** null: as trained. */
  readonly threshold: number | null;
  readonly reset: keyof typeof RESETS | null;
}

export const NO_EDITS: Edits = { tau: {}, layerMean: false, threshold: null, reset: null };

/** Everything that the page shows depends on this, on the payload, and on what was trained or made here; it is what the address holds. */
export interface ViewState {
  /** Index of the model, and of the one beside it; null: nothing beside it. The second is always as trained. */
  readonly model: number;
  readonly beside: number | null;
  /** An embedded clip's id, or `own`. */
  readonly clip: string;
  /** From 0. */
  readonly step: number;
  /** The order in which the frames reach the network; a number: all are the frame at that step, from 0. */
  readonly order: keyof typeof ORDERS | number;
  readonly show: keyof typeof SHOWN;
  /** The neuron that one looks at; `index` in [C, H, W] of the layer. */
  readonly neuron: { readonly layer: number; readonly index: number } | null;
  readonly edits: Edits;
}

/** What there is to choose, with its words on the page. */
export const ORDERS = { 'as-is': 'as recorded', reversed: 'backwards', shuffled: 'shuffled' } as const;
export const SHOWN = { spikes: 'spikes', potential: 'potential', tau: 'time constant τ' } as const;
export const RESETS = { hard: 'to rest', soft: 'by the threshold' } as const;

/** The range of each change, in the controls and in addresses. */
export const LIMITS = { factor: [0.25, 4], threshold: [0.2, 3] } as const;

/** The frames of a clip, [T, ...], in another order; `shuffled` depends only on T, so that everyone sees the same. */
export function reorderSteps(
  frames: EmbeddedFrames,
  steps: number,
  order: ViewState['order'],
): EmbeddedFrames {
  if (order === 'as-is') return frames;
  const size = frames.length / steps;
  const shuffled = new TorchRandom(mixSeed(1, steps)).permutation(steps);
  const ordered = frames.slice();
  for (let step = 0; step < steps; step++) {
    const from = order === 'reversed' ? steps - 1 - step : order === 'shuffled' ? shuffled[step]! : order;
    ordered.set(frames.subarray(from * size, (from + 1) * size), step * size);
  }
  return ordered;
}

/**
 * A view as the fragment of an address, such as `#model=0&clip=test-17&step=5&order=as-is&show=spikes&neuron=1.234&tau=all*0.5_1.234*2`.
 * Layers and neurons count from 0; what is as trained is left out.
 */
export function formatAddress({ neuron, edits, ...plain }: ViewState): string {
  const factors = Object.entries(edits.tau).map(([target, factor]) => `${target}*${factor}`);
  const parts = {
    ...plain,
    neuron: neuron && `${neuron.layer}.${neuron.index}`,
    tau: factors.join('_') || null,
    taus: edits.layerMean ? 'layer-mean' : null,
    threshold: edits.threshold,
    reset: edits.reset,
  };
  const written = Object.entries(parts).filter(([, value]) => value !== null);
  return `#${written.map(([key, value]) => `${key}=${value}`).join('&')}`;
}

/**
 * The view of an address. What is missing or impossible is as in `start`.
 *
 * @param scope numbers of models and steps, and the clips that there are
 */
export function parseAddress(
  address: string,
  scope: { readonly models: number; readonly steps: number; readonly clips: readonly string[] },
  start: ViewState,
): ViewState {
  const given = new URLSearchParams(address.replace(/^#/, ''));
  const read = (key: string) => given.get(key) ?? '';
  const choose = <Text extends string>(key: string, among: Readonly<Record<Text, unknown>>) =>
    Object.keys(among).find((one): one is Text => one === read(key));
  const index = (key: string, below: number) =>
    /^\d{1,9}$/.test(read(key)) && Number(read(key)) < below ? Number(read(key)) : undefined;
  const isWithin = (value: number, [low, high]: readonly [number, number]) => value >= low && value <= high;
  const [, layer, place] = /^(\d+)\.(\d+)$/.exec(read('neuron')) ?? [];
  const factors = [...read('tau').matchAll(/(all|\d+(?:\.\d+)?)\*([\d.]+)/g)]
    .map(([, target, factor]) => [target!, Number(factor)] as const)
    .filter(([, factor]) => isWithin(factor, LIMITS.factor));
  const threshold = Number(read('threshold'));
  return {
    model: index('model', scope.models) ?? start.model,
    beside: index('beside', scope.models) ?? start.beside,
    clip: scope.clips.find((clip) => clip === read('clip')) ?? start.clip,
    step: index('step', scope.steps) ?? start.step,
    order: choose('order', ORDERS) ?? index('order', scope.steps) ?? start.order,
    show: choose('show', SHOWN) ?? start.show,
    neuron: layer === undefined ? start.neuron : { layer: Number(layer), index: Number(place) },
    edits: {
      tau: Object.fromEntries(factors),
      layerMean: read('taus') === 'layer-mean',
      threshold: isWithin(threshold, LIMITS.threshold) ? threshold : null,
      reset: choose('reset', RESETS) ?? null,
    },
  };
}

/**
 * The neurons with the reader's changes: `τ' = max(1, τ · factor)`, with τ as learned or the layer's mean, the product of the factors that apply, and
 * `leak' = 1/τ'` in single precision. A neuron whose factor is 1 keeps its leak, to the last bit.
 *
 * @param neurons of each spiking layer, as trained
 */
export function applyEdits(neurons: readonly Neurons[], edits: Edits): Neurons[] {
  return neurons.map((layer, at) => {
    const learned = edits.layerMean ? averageTaus(layer.leaks) : layer.leaks;
    const leaks = editLeaks(learned, edits.tau, String(at));
    const reset = edits.reset ?? layer.reset;
    // Neurons with a soft reset start at 0.
    const rest = reset === 'soft' ? 0 : layer.rest;
    return { ...layer, leaks, threshold: edits.threshold ?? layer.threshold, reset, rest };
  });
}

/** Of equal leaks, the same to the last bit. */
function averageTaus(leaks: Float32Array): Float32Array {
  const sum = leaks.reduce((total, leak) => total + 1 / leak, 0);
  return new Float32Array(leaks.length).fill(leaks.length / sum);
}

function editLeaks(leaks: Float32Array, tau: Edits['tau'], layer: string): Float32Array {
  const factors = new Float64Array(leaks.length).fill((tau.all ?? 1) * (tau[layer] ?? 1));
  for (const [target, factor] of Object.entries(tau)) {
    const [at, neuron] = target.split('.');
    if (at === layer && neuron !== undefined) factors[Number(neuron)]! *= factor;
  }
  return leaks.map((leak, i) => (factors[i] === 1 ? leak : 1 / Math.max(1, factors[i]! / leak)));
}

/** Sets the factor of a target; 1 removes it. */
export function setTauFactor(edits: Edits, target: string, factor: number): Edits {
  const { [target]: _, ...others } = edits.tau;
  return { ...edits, tau: factor === 1 ? others : { ...others, [target]: factor } };
}

export function hasEdits({ tau, layerMean, threshold, reset }: Edits): boolean {
  return Object.keys(tau).length > 0 || layerMean || threshold !== null || reset !== null;
}
