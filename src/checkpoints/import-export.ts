import path from 'node:path';
import { formatCurves } from '../formats/logged-curves.ts';
import { encodeNpz } from '../formats/npy.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { formatJson } from '../results/result-file.ts';
import { hashFile, type ImportedCheckpoint, importCheckpoint } from './import-checkpoint.ts';
import type { ImportAnswers } from './infer-network.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';
import { encodeMetadata, trainedElsewhere } from './self-description.ts';
import { writeWholeFile, writeWholeFolder } from './whole-output.ts';

const FILES = { state: 'state.safetensors', network: 'network.json', curves: 'curves.csv' } as const;

export interface ImportOutcome {
  readonly folder: string;
  readonly files: readonly string[];
  readonly checkpoint: ImportedCheckpoint;
  /** `network.json`: what an import found, for people; this program reads the state's metadata. */
  readonly description: ReturnType<typeof describeCheckpoint>;
}

/**
 * Imports a `.pt` or `.safetensors` file into a folder: state.safetensors, network.json and, if the file has a log,
 * curves.csv. The state also carries the description in its metadata, so that it can be moved.
 *
 * @param out the folder; by default beside the file, named after it without its extension
 * @throws {ReproError} of `importCheckpoint`, or `output-exists`
 */
export async function importIntoFolder(
  file: string,
  options: { readonly answers: ImportAnswers; readonly out?: string | undefined; readonly force: boolean },
): Promise<ImportOutcome> {
  const folder = options.out ?? defaultFolder(file);
  const checkpoint = await importCheckpoint(file, options.answers);
  const { network, trainedSteps, curves, assumptions: assumed } = checkpoint;
  const description = describeCheckpoint(checkpoint, path.basename(file), await hashFile(file));
  const source = `imported from ${path.basename(file)}`;
  const metadata = encodeMetadata({ network, trainedOn: trainedElsewhere(trainedSteps), source, assumed });
  const contents = new Map<string, Uint8Array | string>([
    [FILES.state, writeSafetensors(checkpoint.state, metadata)],
    [FILES.network, formatJson({ version: 1, ...description })],
    ...(curves.length > 0 ? ([[FILES.curves, formatCurves(curves)]] as const) : []),
  ]);
  await writeWholeFolder(folder, contents, { force: options.force, known: Object.values(FILES) });
  return { folder, files: [...contents.keys()], checkpoint, description };
}

function describeCheckpoint(
  { network, trainedSteps, format, className, claims, assumptions: assumed }: ImportedCheckpoint,
  file: string,
  sha256: string,
) {
  const source = { file, sha256, format, class: className };
  return { network, trainedSteps, source, claims, assumed };
}

/** `logs/check_point_max.pt` -> `logs/check_point_max` */
function defaultFolder(file: string): string {
  const name = path.basename(file).replace(/\.(?:pth?|safetensors)$/i, '');
  return path.join(path.dirname(file), name === path.basename(file) ? `${name}.imported` : name);
}

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
  const { state, network, trainedOn, source, assumptions: assumed } = checkpoint;
  // Other programs ignore the description.
  const metadata = encodeMetadata(network === null ? null : { network, trainedOn, source, assumed });
  const bytes = to === 'npz' ? await encodeNpz(state) : writeSafetensors(state, metadata);
  await writeWholeFile(file, bytes, force);
  return { file, sizeBytes: bytes.length, tensors: state.size };
}
