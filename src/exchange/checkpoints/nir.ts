import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { escapeControls } from '../../base/text.ts';
import { readNir, writeNir } from '../../formats/nir.ts';
import type { NirGraph } from '../../formats/nir-graph.ts';
import { countElements, ShapeError } from '../../formats/tensor.ts';
import type { EngineDescription, EvaluationSession, Frames } from '../../network/engines/engine.ts';
import { buildNetwork } from '../../network/networks.ts';
import { nirFromNetwork } from '../../network/nir-from-network.ts';
import { type NirNetwork, prepareNir, runNir } from '../../network/nir-run.ts';
import { type NetworkSpec, repeatedSteps } from '../../network/spec.ts';
import { type LoadedCheckpoint, networkToEvaluate } from './evaluate-checkpoint.ts';
import { decodeMetadata, encodeMetadata, trainedElsewhere } from './self-description.ts';

/** A file's name ends so. */
export const NIR_NAME = /\.nir$/i;

/** Reads a NIR file of any program. Its network's configuration is only known if `repro export state` wrote it. */
export async function loadNir(file: string): Promise<LoadedCheckpoint> {
  const graph = await readNir(await readRegular(file), file);
  const { metadata } = graph;
  const name = path.basename(file);
  const own = decodeMetadata(metadata, file);
  return {
    ...{ graph, state: new Map(), network: null, trainedOn: trainedElsewhere(null), source: name },
    ...{ name: name.replace(NIR_NAME, ''), warnings: [] },
    ...own,
    assumptions: own?.assumed ?? [],
  };
}

/**
 * A checkpoint as a NIR file, with the description of its network that our other files have, too.
 *
 * @throws {ReproError} `nir-unwritable` for a soft reset, and those of `networkToEvaluate`
 */
export async function encodeNir(checkpoint: LoadedCheckpoint): Promise<{ bytes: Uint8Array; nodes: number }> {
  const network = networkToEvaluate(checkpoint);
  const { state, trainedOn, source, assumptions: assumed } = checkpoint;
  if (network.reset.kind === 'soft') {
    const fix = 'Only networks with a hard reset can be written: export it as safetensors instead.';
    const problem = 'NIR has no reset that subtracts the threshold.';
    throw new ReproError('nir-unwritable', problem, { where: source, fix });
  }
  const { format: _, ...metadata } = encodeMetadata({ network, trainedOn, source, assumed });
  const graph = nirFromNetwork(buildNetwork(network), state, metadata);
  return { bytes: await writeNir(graph), nodes: graph.nodes.size };
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

/** @param repeats for how many steps each frame is shown: T for still images */
function evaluateNir(network: NirNetwork, { shape: [clips], data }: Frames, repeats: number) {
  const perClip = data.length / clips;
  const classes = countElements(network.output);
  const outputs: number[] = [];
  const rates: number[] = [];
  for (let clip = 0; clip < clips; clip++) {
    const shown = Float32Array.from(data.subarray(clip * perClip, (clip + 1) * perClip));
    const found = runNir(network, shown, repeats);
    outputs.push(...found);
    for (let c = 0; c < classes; c++) {
      const ofClass = found.filter((_, i) => i % classes === c);
      rates.push(ofClass.reduce((sum, value) => sum + value, 0) / ofClass.length);
    }
  }
  return { rates: Float32Array.from(rates), outputs: Float32Array.from(outputs), spikeRates: [] };
}
