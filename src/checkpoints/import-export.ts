import path from 'node:path';
import { formatCurves } from '../formats/logged-curves.ts';
import { encodeNpz } from '../formats/npy.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { formatJson } from '../results/result-file.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { hashFile, type ImportedCheckpoint, importCheckpoint } from './import-checkpoint.ts';
import type { Assumption, ImportAnswers } from './infer-network.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';
import type { SavedFile } from './saved-file.ts';
import { encodeMetadata } from './self-description.ts';
import { trainedElsewhere } from './trained-on.ts';
import { writeWholeFile, writeWholeFolder } from './whole-output.ts';

const FILES = { state: 'state.safetensors', network: 'network.json', curves: 'curves.csv' } as const;

/** `network.json`: what an import found, for people; this program reads the state's metadata. */
interface NetworkFile {
  readonly network: NetworkConfig;
  /** T that it was trained with, if known. */
  readonly trainedSteps: number | null;
  readonly source: {
    /** Without its folder. */
    readonly file: string;
    readonly sha256: string;
    readonly format: SavedFile['format'];
    /** Class of the pickled network; null if only its tensors were saved. */
    readonly class: string | null;
  };
  /** What the file says about its training, under the original's names. */
  readonly claims: Readonly<Record<string, number>>;
  /** What the file does not say, and what was assumed. */
  readonly assumed: readonly Assumption[];
}

export interface ImportOutcome {
  readonly folder: string;
  readonly files: readonly string[];
  readonly checkpoint: ImportedCheckpoint;
  readonly description: NetworkFile;
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
  const { network, trainedSteps, format, className, claims, curves, assumptions } = checkpoint;
  const name = path.basename(file);
  const description: NetworkFile = {
    network,
    trainedSteps,
    source: { file: name, sha256: await hashFile(file), format, class: className },
    claims,
    assumed: assumptions,
  };
  const metadata = encodeMetadata({
    network,
    trainedOn: trainedElsewhere(trainedSteps),
    source: `imported from ${name}`,
    assumed: assumptions,
  });
  const contents = new Map<string, Uint8Array | string>([
    [FILES.state, writeSafetensors(checkpoint.state, metadata)],
    [FILES.network, formatJson({ version: 1, ...description })],
    ...(curves.length > 0 ? ([[FILES.curves, formatCurves(curves)]] as const) : []),
  ]);
  await writeWholeFolder(folder, contents, { force: options.force, known: Object.values(FILES) });
  return { folder, files: [...contents.keys()], checkpoint, description };
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
