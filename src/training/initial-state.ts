import { ReproError } from '../errors.ts';
import { initialState } from '../snn/initialise.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import { ShapeError } from '../snn/tensor.ts';
import type { TorchRandom } from '../snn/torch-random.ts';

/**
 * `initialState`, with an error for the person who configured the network.
 *
 * @throws {ReproError} `model-invalid` if a τ is drawn that no neuron can have
 */
export function drawInitialState(spec: NetworkSpec, random: TorchRandom): State {
  try {
    return initialState(spec, random);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new ReproError('model-invalid', `${cause.message}.`, {
      fix: 'Lower `train.network.tau.std`, or raise `train.network.tau.mean`.',
      cause,
    });
  }
}
