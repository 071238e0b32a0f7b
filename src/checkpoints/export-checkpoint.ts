import path from 'node:path';
import { encodeNpz } from '../formats/npy.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { encodeMetadata } from './export-metadata.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';
import { writeWholeFile } from './whole-output.ts';

export type ExportFormat = 'safetensors' | 'npz';

/**
 * Writes a state for other programs, its tensors under PyTorch's names. The same state gives the same bytes.
 *
 * @param out a path; by default in the current folder, named after the checkpoint
 * @returns the file's path and size
 * @throws {ReproError} `output-exists` if the file exists and `force` is not set
 */
export async function exportCheckpoint(
  checkpoint: LoadedCheckpoint,
  {
    to,
    out,
    force,
  }: { readonly to: ExportFormat; readonly out?: string | undefined; readonly force: boolean },
): Promise<{ readonly file: string; readonly sizeBytes: number; readonly tensors: number }> {
  const file = out ?? path.resolve(`${checkpoint.name}.${to}`);
  const bytes = to === 'npz' ? await encodeNpz(checkpoint.state) : encodeSafetensors(checkpoint);
  await writeWholeFile(file, bytes, force);
  return { file, sizeBytes: bytes.length, tensors: checkpoint.state.size };
}

/** Describes the network in the metadata, which other programs ignore. */
function encodeSafetensors(checkpoint: LoadedCheckpoint): Uint8Array {
  const { state, network, trainedOn, source, assumptions: assumed } = checkpoint;
  return writeSafetensors(
    state,
    encodeMetadata(network === null ? null : { network, trainedOn, source, assumed }),
  );
}
