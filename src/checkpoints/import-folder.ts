import path from 'node:path';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { ImportAnswers } from './answers.ts';
import { formatCurves } from './curves.ts';
import { hashFile, type ImportedCheckpoint, importCheckpoint } from './import-checkpoint.ts';
import { formatNetworkFile, type NetworkFile } from './network-file.ts';
import { writeWholeFolder } from './whole-output.ts';

const FILES = { state: 'state.safetensors', network: 'network.json', curves: 'curves.csv' } as const;

export interface ImportOutcome {
  readonly folder: string;
  readonly files: readonly string[];
  readonly checkpoint: ImportedCheckpoint;
  readonly description: NetworkFile;
}

/**
 * Imports a `.pt` file into a folder: state.safetensors, network.json and, where the file has a log, curves.csv.
 *
 * @param out the folder; beside the file, of its name without `.pt`, where left out
 * @throws {ReproError} of `importCheckpoint`, or `output-exists`
 */
export async function importIntoFolder(
  file: string,
  {
    answers,
    out,
    force,
  }: { readonly answers: ImportAnswers; readonly out?: string | undefined; readonly force: boolean },
): Promise<ImportOutcome> {
  const folder = out ?? defaultFolder(file);
  const checkpoint = await importCheckpoint(file, answers);
  const { network, trainedSteps, format, className, claims, curves, assumptions } = checkpoint;
  const description: NetworkFile = {
    network,
    trainedSteps,
    source: { file: path.basename(file), sha256: await hashFile(file), format, class: className },
    claims,
    assumed: assumptions,
  };
  const contents = new Map<string, Uint8Array | string>([
    [FILES.state, writeSafetensors(checkpoint.state, { format: 'pt' })],
    [FILES.network, formatNetworkFile(description)],
    ...(curves.length > 0 ? ([[FILES.curves, formatCurves(curves)]] as const) : []),
  ]);
  await writeWholeFolder(folder, contents, { force, known: Object.values(FILES) });
  return { folder, files: [...contents.keys()], checkpoint, description };
}

/** `logs/check_point_max.pt` -> `logs/check_point_max` */
function defaultFolder(file: string): string {
  const name = path.basename(file).replace(/\.pth?$/i, '');
  return path.join(path.dirname(file), name === path.basename(file) ? `${name}.imported` : name);
}
