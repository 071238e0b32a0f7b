import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { readNir, writeNir } from '../../formats/nir.ts';
import { buildNetwork } from '../../network/networks.ts';
import { nirFromNetwork, stateFromNir } from '../../network/nir.ts';
import { type LoadedCheckpoint, networkToEvaluate } from './evaluate-checkpoint.ts';
import { decodeMetadata, encodeMetadata } from './self-description.ts';

/** A file's name ends so. */
export const NIR_NAME = /\.nir$/i;

/**
 * Reads a NIR file that `repro export state` wrote.
 *
 * @throws {ReproError} `nir-foreign` for one of another program; {ShapeError} if its nodes are not those of its network
 */
export async function loadNir(file: string): Promise<LoadedCheckpoint> {
  const content = await readNir(await readRegular(file), file);
  const own = decodeMetadata(content.metadata, file);
  if (own === null) {
    const fix = 'Only files of `./repro export state --to nir` can be read (docs/checkpoints.md).';
    throw new ReproError('nir-foreign', 'another program wrote this file.', { where: file, fix });
  }
  const name = path.basename(file).replace(NIR_NAME, '');
  const state = stateFromNir(buildNetwork(own.network), content);
  return { ...own, state, name, warnings: [], assumptions: own.assumed };
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
