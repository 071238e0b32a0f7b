import path from 'node:path';
import { formatCurves } from '../formats/logged-curves.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { ImportAnswers } from './answers.ts';
import { encodeMetadata } from './export-metadata.ts';
import { hashFile, type ImportedCheckpoint, importCheckpoint } from './import-checkpoint.ts';
import { formatNetworkFile, type NetworkFile } from './network-file.ts';
import { trainedElsewhere } from './trained-on.ts';
import { writeWholeFolder } from './whole-output.ts';

const FILES = { state: 'state.safetensors', network: 'network.json', curves: 'curves.csv' } as const;

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
  {
    answers,
    out,
    force,
  }: { readonly answers: ImportAnswers; readonly out?: string | undefined; readonly force: boolean },
): Promise<ImportOutcome> {
  const folder = out ?? defaultFolder(file);
  const checkpoint = await importCheckpoint(file, answers);
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
    [FILES.network, formatNetworkFile(description)],
    ...(curves.length > 0 ? ([[FILES.curves, formatCurves(curves)]] as const) : []),
  ]);
  await writeWholeFolder(folder, contents, { force, known: Object.values(FILES) });
  return { folder, files: [...contents.keys()], checkpoint, description };
}

/** `logs/check_point_max.pt` -> `logs/check_point_max` */
function defaultFolder(file: string): string {
  const name = path.basename(file).replace(/\.(?:pth?|safetensors)$/i, '');
  return path.join(path.dirname(file), name === path.basename(file) ? `${name}.imported` : name);
}
