import type { Fields } from '../formats/fields.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import { type NetworkSpec, spikingLayers } from '../snn/spec.ts';

/**
 * Neurons × time steps × clips of one training batch, for each spiking layer from input to output.
 *
 * @param run the fields of run.json
 * @throws {ReproError} `results-invalid` if its network cannot be built
 */
export function countNeuronSteps(run: Fields): number[] {
  const clips = run.object('training').count('batchSize');
  const spec = build(run);
  // Still images are shown for as many steps as the network repeats them; recordings have a frame for each.
  const steps = spec.layers.find(({ kind }) => kind === 'repeat');
  const count = steps?.kind === 'repeat' ? steps.steps : run.object('frames').count('steps');
  return spikingLayers(spec).map(({ shape }) =>
    shape.reduce((product, size) => product * size, count * clips),
  );
}

function build(run: Fields): NetworkSpec {
  try {
    return buildNetwork(run.raw('network') as unknown as NetworkConfig);
  } catch (cause) {
    return run.fail('network', `is no network: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
