import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import { writeFilesAtomic } from '../files/atomic-file.ts';
import { writeOutput } from '../files/chosen-file.ts';
import { kindOfPath } from '../files/folders.ts';
import { formatCurves } from '../formats/logged-curves.ts';
import { encodeNpz } from '../formats/npy.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { formatJson } from '../results/result-file.ts';
import { quoteName } from '../text.ts';
import type { LoadedCheckpoint } from './evaluate-checkpoint.ts';
import { type ImportedCheckpoint, importCheckpoint, sha256OfFile } from './import-checkpoint.ts';
import type { ImportAnswers } from './infer-network.ts';
import { encodeNir } from './nir.ts';
import { encodeMetadata, trainedElsewhere } from './self-description.ts';

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
  const description = describeCheckpoint(checkpoint, path.basename(file), await sha256OfFile(file));
  const source = `imported from ${path.basename(file)}`;
  const metadata = encodeMetadata({ network, trainedOn: trainedElsewhere(trainedSteps), source, assumed });
  const contents = new Map<string, Uint8Array | string>([
    [FILES.state, writeSafetensors(checkpoint.state, metadata)],
    [FILES.network, formatJson({ version: 1, ...description })],
    ...(curves.length > 0 ? ([[FILES.curves, formatCurves(curves)]] as const) : []),
  ]);
  if ((await kindOfPath(folder)) === 'folder') await clearImport(folder, options.force);
  await writeFilesAtomic(
    [...contents].map(([name, content]) => ({ file: path.join(folder, name), content })),
  );
  return { folder, files: [...contents.keys()], checkpoint, description };
}

/**
 * Removes what describes an earlier import. Its state stays until the new one is in its place: it describes itself.
 *
 * @throws {ReproError} `output-exists` if that is not asked for, or the folder has other files
 */
async function clearImport(folder: string, force: boolean): Promise<void> {
  const refuse = (problem: string, fix: string): ReproError =>
    new ReproError('output-exists', problem, { where: folder, fix });
  if (!force) {
    const fix = 'Choose another with --out, or replace it with --force.';
    throw refuse('this folder already exists.', fix);
  }
  const known: readonly string[] = Object.values(FILES);
  const other = (await readdir(folder)).find((name) => !known.includes(name));
  if (other !== undefined) {
    const problem = `it holds ${quoteName(other)}, which no import wrote, so it is not replaced.`;
    throw refuse(problem, 'Choose another: --out FOLDER.');
  }
  for (const name of [FILES.network, FILES.curves]) await rm(path.join(folder, name), { force: true });
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

export type ExportFormat = 'safetensors' | 'npz' | 'nir';

/** What a file holds. */
export type ExportedContent = { readonly tensors: number } | { readonly nodes: number };

/**
 * Writes a state for other programs, its tensors under PyTorch's names, or its network as a NIR graph. The same state gives the same bytes.
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
): Promise<{ readonly file: string; readonly sizeBytes: number; readonly content: ExportedContent }> {
  const file = out ?? `${checkpoint.name}.${to}`;
  const { state } = checkpoint;
  const { bytes, ...content } =
    to === 'nir'
      ? await encodeNir(checkpoint)
      : {
          bytes: to === 'npz' ? await encodeNpz(state) : encodeSafetensors(checkpoint),
          tensors: state.size,
        };
  await writeOutput(file, bytes, force);
  return { file, sizeBytes: bytes.length, content };
}

/** A state as safetensors, with a description of its network, which other programs ignore. */
function encodeSafetensors(checkpoint: LoadedCheckpoint): Uint8Array {
  const { state, network, trainedOn, source, assumptions: assumed } = checkpoint;
  return writeSafetensors(
    state,
    encodeMetadata(network === null ? null : { network, trainedOn, source, assumed }),
  );
}
