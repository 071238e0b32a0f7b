import path from 'node:path';
import type { EngineDescription, EvaluationSession, Frames } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';
import { readNir, writeNir } from '../formats/nir.ts';
import { buildNetwork } from '../snn/networks.ts';
import { nirFromNetwork } from '../snn/nir-from-network.ts';
import type { NirGraph } from '../snn/nir-graph.ts';
import { type NirNetwork, prepareNir, runNir } from '../snn/nir-run.ts';
import { type NetworkSpec, repeatedSteps } from '../snn/spec.ts';
import { countElements, ShapeError } from '../snn/tensor.ts';
import { escapeControls } from '../text.ts';
import { networkOf } from './evaluate-checkpoint.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';
import { decodeMetadata, encodeMetadata, trainedElsewhere } from './self-description.ts';

/** A file's name ends so. */
export const NIR_NAME = /\.nir$/i;

/** Reads a NIR file of any program. Its network's configuration is only known if `repro export` wrote it. */
export async function loadNir(file: string): Promise<LoadedCheckpoint> {
  const graph = await readNir(await readRegular(file), file);
  const { metadata } = graph;
  const name = path.basename(file);
  const own = decodeMetadata(metadata, file);
  return {
    ...{ graph, state: new Map(), network: null, trainedOn: trainedElsewhere(null), source: name },
    ...{ name: name.replace(NIR_NAME, ''), validation: null, warnings: [] },
    ...own,
    assumptions: own?.assumed ?? [],
  };
}

/**
 * A checkpoint as a NIR file, with the description of its network that our other files have, too.
 *
 * @throws {ReproError} `nir-unwritable` for a soft reset, and those of `networkOf`
 */
export async function encodeNir(checkpoint: LoadedCheckpoint): Promise<{ bytes: Uint8Array; nodes: number }> {
  const network = networkOf(checkpoint);
  const { state, trainedOn, source, assumptions: assumed } = checkpoint;
  const { format: _, ...metadata } = encodeMetadata({ network, trainedOn, source, assumed });
  try {
    const graph = nirFromNetwork(buildNetwork(network), state, metadata);
    return { bytes: await writeNir(graph), nodes: graph.nodes.size };
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    const fix = 'Only networks with a hard reset can be written: export it as safetensors instead.';
    throw new ReproError('nir-unwritable', `${cause.message}.`, { where: source, fix, cause });
  }
}

/**
 * An engine for one NIR graph, in plain loops.
 *
 * @param dt length of a step in the graph's unit of time
 * @throws {ReproError} `nir-misfit` if the graph cannot be run; `open` does, if not on such frames
 */
export function nirEngine(
  graph: NirGraph,
  { dt = 1, where }: { readonly dt?: number | undefined; readonly where: string },
) {
  const description: EngineDescription = {
    ...{ name: 'nir', backend: 'cpu', version: '1' },
    reason: `the graph of the file, in Euler steps of ${dt}`,
  };
  const explain = <Result>(make: () => Result): Result => {
    try {
      return make();
    } catch (cause) {
      if (!(cause instanceof ShapeError)) throw cause;
      const fix =
        cause.key === 'dt'
          ? 'Give the length of a time step in the unit of the file, such as --dt 0.001 for one of Norse.'
          : 'docs/nir.md lists what can be run.';
      throw new ReproError('nir-misfit', `${escapeControls(cause.message)}.`, { where, fix, cause });
    }
  };
  const network = explain(() => prepareNir(graph, dt));
  const open = async (spec: NetworkSpec): Promise<EvaluationSession> => {
    explain(() => checkEnds(network, spec));
    const evaluate = async (frames: Frames) => evaluateNir(network, frames, repeatedSteps(spec) ?? 1);
    return { evaluate, dispose: () => {} };
  };
  return { description, open };
}

function checkEnds({ input, output }: NirNetwork, spec: NetworkSpec): void {
  if (input.join() !== spec.input.join())
    throw new ShapeError(`its input is [${input.join(', ')}], but frames are [${spec.input.join(', ')}]`);
  const outputs = countElements(output);
  if (outputs !== spec.classes)
    throw new ShapeError(`it has ${outputs} outputs, but the data set has ${spec.classes} classes`);
}

/** @param repeats how often each frame is shown: T for still images */
function evaluateNir(network: NirNetwork, { shape: [clips, frames], data }: Frames, repeats: number) {
  const steps = frames * repeats;
  const frameLength = data.length / clips / frames;
  const outputs: number[] = [];
  const rates: number[] = [];
  for (let clip = 0; clip < clips; clip++) {
    const shown = new Float32Array(steps * frameLength);
    for (let step = 0; step < steps; step++) {
      const from = (clip * frames + Math.floor(step / repeats)) * frameLength;
      shown.set(data.subarray(from, from + frameLength), step * frameLength);
    }
    const found = runNir(network, shown);
    outputs.push(...found);
    const classes = found.length / steps;
    for (let c = 0; c < classes; c++)
      rates.push(found.reduce((sum, value, i) => (i % classes === c ? sum + value : sum), 0) / steps);
  }
  return { rates: Float32Array.from(rates), outputs: Float32Array.from(outputs), spikeRates: [] };
}
