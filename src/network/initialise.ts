import { unreachable } from '../base/errors.ts';
import { countElements, ShapeError, type State, type Tensor } from '../formats/tensor.ts';
import { REFERENCE_TAU, scaleInputs, tausOf } from './gain.ts';
import { logitOfTau } from './neurons.ts';
import { logSingle } from './single-precision.ts';
import { type Layer, type LayerOf, type NetworkSpec, spikingLayers, stateEntries, tauShape } from './spec.ts';
import { drawKaimingUniform, drawLogNormal, TorchRandom } from './torch-random.ts';

/**
 * A network's initial state, drawn as PyTorch draws it: layer by layer, in the order in which the original
 * builds them. Weights are Kaiming uniform (a = √5), batch norm starts at 1 and 0, τ as in `TauSpec`. `init: gain-matched` draws the same numbers
 * and then multiplies each neuron's weights by τ/2.
 *
 * @param seed the argument of `torch.manual_seed` right before the network is built, or a stream to draw from
 * @throws {ShapeError} if it draws τ <= 1 time step, for which `w = -ln(τ - 1)` is undefined
 */
export function initialState(spec: NetworkSpec, seed: number | TorchRandom): State {
  const random = seed instanceof TorchRandom ? seed : new TorchRandom(seed);
  const state = new Map<string, Tensor>();
  for (const layer of spec.layers) {
    for (const { name, shape, dtype } of stateEntries({ ...spec, layers: [layer] })) {
      state.set(
        name,
        dtype === 'I64'
          ? { dtype, shape, data: new BigInt64Array(countElements(shape)) }
          : { dtype, shape, data: initialValues(layer, name, countElements(shape), random) },
      );
    }
  }
  if (spec.init === 'gain-matched') {
    for (const layer of spikingLayers(spec)) {
      const factors = tausOf(layer, state).map((tau) => tau / REFERENCE_TAU);
      for (const [name, tensor] of scaleInputs(spec, layer, state, factors) ?? []) state.set(name, tensor);
    }
  }
  return state;
}

function initialValues(layer: Layer, name: string, count: number, random: TorchRandom): Float32Array {
  switch (layer.kind) {
    case 'conv':
      return drawKaimingUniform(random, count, layer.inChannels * layer.kernel ** 2);
    case 'linear':
      return drawKaimingUniform(random, count, layer.inFeatures);
    case 'batch-norm': {
      const one = name.endsWith('.weight') || name.endsWith('.running_var');
      return new Float32Array(count).fill(one ? 1 : 0);
    }
    case 'neuron':
      if (name.endsWith('.alpha')) return Float32Array.of(layer.neuron.surrogate.alpha);
      if (name.endsWith('.weight')) return drawKaimingUniform(random, count, countElements(layer.shape));
      return initialTauLogits(layer, count, random);
    case 'repeat':
    case 'pool':
    case 'flatten':
    case 'dropout':
    case 'vote':
      throw new ShapeError(`${layer.kind}: has no state, got "${name}"`);
    default:
      return unreachable(layer);
  }
}

function initialTauLogits(layer: LayerOf<'neuron'>, count: number, random: TorchRandom): Float32Array {
  const { per, mean, std, start = 'code', values } = layer.neuron.tau;
  if (!(mean > 1)) throw new ShapeError(`${layer.name}: τ must be more than 1 time step, got ${mean}`);
  if (per === 'layer') return new Float32Array(count).fill(logitOfTau(mean));
  if (values !== undefined)
    return Float32Array.from({ length: count }, (_, i) => singleLogitOfTau(values[i % values.length]!));
  // As in the original, nothing is drawn without a spread; later draws therefore differ from those with one.
  if (std === 0) return new Float32Array(count).fill(singleLogitOfTau(Math.fround(mean)));
  const shift = start === 'paper' ? 1 : 0;
  return drawLogNormal(random, count, mean - shift, std).map((drawn) => {
    const tau = Math.fround(shift + drawn);
    if (!(tau > 1)) {
      throw new ShapeError(
        `${layer.name}: drew τ = ${tau} for w of shape [${tauShape(layer)?.join(', ')}] with mean ${mean} and standard deviation ${std}; ` +
          'τ must be more than 1 time step. Choose a smaller `network.tau.std`, or `compat.tau_init: paper`, which draws τ - 1 with mean μ - 1',
      );
    }
    return singleLogitOfTau(tau);
  });
}

/** `logitOfTau`, rounded as in PyTorch. */
function singleLogitOfTau(tauSteps: number): number {
  return -logSingle(Math.fround(tauSteps - 1));
}
