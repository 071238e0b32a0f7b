import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { compareCodeUnits } from '../files/canonical-json.ts';
import { requireEnding, writeOutput } from '../files/chosen-file.ts';
import { packZip } from '../files/zip-file.ts';
import { EXPLORE_PAGE } from '../report/explore/page.ts';
import { FRAME_CACHE_FILES, parseClipIndex } from '../results/clip-index.ts';
import { formatJson } from '../results/result-file.ts';
import { fileNameOf } from '../runner/store/cache-folder.ts';
import { digestPath } from '../runner/store/digest.ts';
import { withoutPlaces } from '../runner/store/fingerprint-parts.ts';
import type { RecordedOutput, RunRecord } from '../runner/store/records.ts';
import { describeCrate, formatCrateReadme, licenseFrames, summariseCrate } from '../sharing/crate.ts';
import { describeCroissant, describeFrames } from '../sharing/croissant.ts';
import { type CrateContent, type CrateFile, coversPath, idOf, PIPELINE, ref } from '../sharing/entity.ts';
import { formatModel } from '../sharing/model-card.ts';
import { readVerdicts } from './baseline.ts';
import type { PipelineOptions, Warn } from './load-plan.ts';
import { refuseRunnerFolder } from './reserved-folder.ts';
import { type FinishedRun, folderOf, readCard, readFinishedRun, requireRecord } from './shared-run.ts';
import { stageNames } from './stages.ts';

export interface CrateOptions extends PipelineOptions {
  readonly out?: string;
  readonly frames?: boolean;
  readonly force?: boolean;
}

/** A file of the crate: its content, or where it is on disk. */
type Packed = CrateFile & { readonly content: Uint8Array | string };

/**
 * Packs a finished run into one zip, an RO-Crate. Packing the same run again gives the same bytes.
 *
 * @throws {ReproError} of `readFinishedRun`, `requireEnding` and `writeOutput`
 */
export async function packCrate(options: CrateOptions, warn: Warn) {
  if (options.out !== undefined) requireEnding(options.out, 'zip', 'Change the name: --out NAME.zip');
  const run = await readFinishedRun(options, warn);
  const { plan, licence, records } = run;
  const file = options.out ?? `${plan.profile}${plan.trial === undefined ? '' : '-trial'}.crate.zip`;
  refuseRunnerFolder(file, 'Choose another place with --out.');
  const { inputs } = requireRecord(run, stageNames.verify).parts;
  const recordings = inputs.find(({ external }) => external)?.digest ?? '';
  const frames = requireRecord(run, stageNames.frames);
  const isFrames = (file: string) => frames.outputs.some((one) => coversPath(one.path, file));
  const report = requireRecord(run, stageNames.report);
  const explorePage = `${report.outputs[0]?.path}/${EXPLORE_PAGE}`;
  const project = await packProject(run, ({ path: output, digest }) => {
    return digest !== recordings && (options.frames === true || !isFrames(output));
  });
  const hasFrames = (one: Packed) => one.path === explorePage || isFrames(one.path);
  const files = licenseFrames(project, hasFrames, licence);
  const content: CrateContent = { ...run, recordings, files, verdicts: await readVerdicts(plan) };
  const all = [
    ...files,
    ...records.map(packRecord),
    ...(await packCards(run)),
    ...(await packCroissants(run, frames, content)),
    packText('README.md', formatCrateReadme(content), { about: ref('./') }),
  ].sort((a, b) => compareCodeUnits(a.path, b.path));
  const metadata = packText('ro-crate-metadata.json', formatJson(describeCrate({ ...content, files: all })));
  const packed = [metadata, ...all];
  const entries = packed.map((one) => [one.path, one.content] as const);
  await writeOutput(file, packZip(entries, 0o100644), options.force === true);
  const sizeBytes = packed.reduce((sum, one) => sum + one.sizeBytes, 0);
  return { file, files: packed.length, sizeBytes, about: summariseCrate(run) };
}

/** The files of a run that are on disk: what describes the project, what stages read, and the outputs that are wanted. */
async function packProject(
  { plan: { projectRoot, places }, records }: FinishedRun,
  isWanted: (output: RecordedOutput) => boolean,
): Promise<Packed[]> {
  const outputs = records.flatMap((record) => record.outputs);
  const isMade = (file: string) =>
    outputs.some((one) => coversPath(one.path, file) || coversPath(file, one.path));
  const sources = records.flatMap(({ parts: { command, inputs } }) => [
    ...(command.kind === 'module' ? [command.path] : []),
    ...inputs.filter((one) => !one.external && !isMade(one.path)).map((one) => one.path),
  ]);
  const profile = places.place([]);
  const wanted = new Set([
    ...['CITATION.cff', 'LICENSE', 'package.json', 'package-lock.json', PIPELINE],
    ...(typeof profile === 'string' ? [] : [profile.file]),
    ...sources,
    ...outputs.filter(isWanted).map((one) => one.path),
  ]);
  const packed: Packed[] = [];
  for (const top of wanted) packed.push(...(await listFiles(projectRoot, top)));
  return packed;
}

/** The files of a folder of the project, or a file of it; none if it does not exist. */
async function listFiles(projectRoot: string, top: string): Promise<Packed[]> {
  const found = await digestPath(path.join(projectRoot, top), null);
  if (found.kind === 'missing') return [];
  return found.tree.entries.map(({ path: below, size: sizeBytes, sha256 }) => {
    const name = path.posix.join(top, below);
    return { path: name, sizeBytes, sha256, content: path.join(projectRoot, name) };
  });
}

function packText(name: string, text: string, more: CrateFile['more'] = {}): Packed {
  const content = Buffer.from(text);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { path: name, sizeBytes: content.length, sha256, content, more };
}

/** As for others who read it: without places and names of this machine. */
function packRecord({ host: _, ...record }: RunRecord): Packed {
  const told = { ...record, parts: withoutPlaces(record.parts) };
  return packText(`records/${fileNameOf(record.id)}.json`, formatJson(told), { about: ref(`#${record.id}`) });
}

async function packCards(run: FinishedRun): Promise<Packed[]> {
  const packed: Packed[] = [];
  for (const { id, stage } of run.records) {
    if (stage !== stageNames.evaluate) continue;
    const card = await readCard(run, id);
    const folder = `models/${id.replace(/^.*@/, '').replaceAll(',', '-')}`;
    const weights = path.posix.relative(folder, `${card.record.outputs[0]?.path}/best.safetensors`);
    for (const [name, text] of Object.entries(formatModel({ ...card, weights })))
      packed.push(packText(`${folder}/${name}`, text));
  }
  return packed;
}

/** Croissant metadata of the frame cache and, if the recordings are simulated, of these. */
async function packCroissants(run: FinishedRun, frames: RunRecord, content: CrateContent): Promise<Packed[]> {
  const { plan, records, command } = run;
  const pack = async (record: RunRecord, what: string, text: string, list?: string): Promise<Packed[]> => {
    const [output] = record.outputs;
    if (output === undefined) return [];
    const id = idOf(output, content);
    const left = id.startsWith('#') ? ` Not in the crate: \`${command}\` makes the files again.` : '';
    const files = await listFiles(plan.projectRoot, output.path);
    const clips = list === undefined ? {} : { clips: path.posix.join(output.path, list) };
    const document = describeCroissant({ record, what, description: `${text}${left}`, files, ...clips }, run);
    return [packText(`croissant-${record.stage}.json`, formatJson(document), { about: ref(id) })];
  };
  const { index } = FRAME_CACHE_FILES;
  const file = path.join(folderOf(plan, frames), index);
  const text = describeFrames(parseClipIndex(await readFile(file, 'utf8'), file));
  const packed = await pack(frames, 'Frames', text, index);
  const simulation = records.find(({ outputs }) =>
    outputs.some(({ digest }) => digest === content.recordings),
  );
  if (simulation === undefined) return packed;
  const made = 'Recordings that this project simulates; no camera made them.';
  return [...packed, ...(await pack(simulation, 'Recordings', made))];
}
