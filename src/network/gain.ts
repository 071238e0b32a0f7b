import type { State, Tensor } from '../formats/tensor.ts';
import { tauOfLogit } from './neurons.ts';
import type { LayerOf, NetworkSpec } from './spec.ts';

/** τ of the thesis' start, at which `init: gain-matched` changes nothing. */
export const REFERENCE_TAU = 2;

/** τ of a spiking layer: one, or one for each channel or neuron. */
export function tausOf({ name, neuron }: LayerOf<'neuron'>, state: State): number[] {
  const w = state.get(`${name}.w`);
  return w?.dtype === 'F32' ? Array.from(w.data, tauOfLogit) : [neuron.tau.mean];
}

/**
 * Multiplies what each neuron of a layer gets: the rows of the linear layer before it and of its recurrent weights, or the scale and shift of its batch norm. A neuron scales
 * its input by 1/τ (`neurons.ts`), so with τ'/τ it reacts to a single event as before when τ becomes τ'. Its memory changes, and with it its reaction to steady input.
 *
 * @param factors one for the layer, or one for each channel or neuron
 * @returns the tensors that change, by name; undefined if neurons with different factors share their weights, as in the maps of a convolution
 */
export function scaleInputs(
  spec: NetworkSpec,
  layer: LayerOf<'neuron'>,
  state: State,
  factors: readonly number[],
): readonly (readonly [name: string, Tensor])[] | undefined {
  const before = spec.layers.slice(0, spec.layers.indexOf(layer));
  const source = before.findLast((one) => one.kind === 'linear' || one.kind === 'batch-norm');
  if (source?.kind !== 'linear' && source?.kind !== 'batch-norm') return undefined;
  const units = source.kind === 'linear' ? source.outFeatures : source.channels;
  if (factors.length !== 1 && factors.length !== units) return undefined;
  const names = [
    ...(source.kind === 'linear' ? ['weight'] : ['weight', 'bias']).map((part) => `${source.name}.${part}`),
    ...(layer.recurrent === true ? [`${layer.name}.recurrent.weight`] : []),
  ];
  return names.flatMap((name) => {
    const tensor = state.get(name);
    if (tensor?.dtype !== 'F32') return [];
    const perUnit = tensor.data.length / units;
    const factorOf = (at: number) => factors[Math.floor(at / perUnit) % factors.length]!;
    const data = tensor.data.map((value, at) => value * factorOf(at));
    return [[name, { ...tensor, data }] as const];
  });
}
