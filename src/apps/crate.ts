import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as yazl from 'yazl';
import { compareCodeUnits } from '../files/canonical-json.ts';
import { writeOutput } from '../files/chosen-file.ts';
import { uncompressed } from '../files/zip-file.ts';
import { EXPLORE_PAGE } from '../report/explore/page.ts';
import { readClaims } from '../results/claims-file.ts';
import { FRAME_CACHE_FILES, parseClipIndex } from '../results/clip-index.ts';
import { formatJson, readResultFile } from '../results/result-file.ts';
import { fileNameOf } from '../runner/store/cache-folder.ts';
import { digestPath } from '../runner/store/digest.ts';
import { withoutPlaces } from '../runner/store/fingerprint-parts.ts';
import type { RecordedOutput, RunRecord } from '../runner/store/records.ts';
import { describeCrate, formatCrateReadme, licenseFrames, summarise } from '../sharing/crate.ts';
import { describeCroissant, describeFrames } from '../sharing/croissant.ts';
import { type CrateContent, type CrateFile, endOf, idOf, PIPELINE, ref } from '../sharing/entity.ts';
import { formatModelCard, formatModelConfig } from '../sharing/model-card.ts';
import { nameRecordings } from '../thesis/data-sets.ts';
import type { PipelineOptions } from './load-plan.ts';
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

const METADATA = 'ro-crate-metadata.json';

/**
 * Packs a finished run into one zip, an RO-Crate. Packing the same run again gives the same bytes.
 *
 * @throws {ReproError} of `readFinishedRun` and `writeOutput`
 */
export async function exportCrate(options: CrateOptions) {
  const run = await readFinishedRun(options);
  const { plan, dataset, licence } = run;
  const file = options.out ?? `${plan.profile}${plan.trial === undefined ? '' : '-trial'}.crate.zip`;
  refuseRunnerFolder(file, 'Choose another place with --out.');
  const recordings = requireRecord(run, stageNames.verify).parts.inputs.find(
    ({ external }) => external,
  )?.digest;
  const frames = requireRecord(run, stageNames.frames);
  const left = new Set([
    recordings,
    ...(options.frames === true ? [] : frames.outputs.map(({ digest }) => digest)),
  ]);
  const report = requireRecord(run, stageNames.report);
  const explorePage = `${report.outputs[0]?.path}/${EXPLORE_PAGE}`;
  const hasFrames = (one: Packed) =>
    one.path === explorePage || frames.outputs.some((output) => one.path.startsWith(`${output.path}/`));
  const found = licenseFrames(await packProject(run, ({ digest }) => !left.has(digest)), hasFrames, licence);
  const verdicts = readClaims(
    await readResultFile(path.join(folderOf(plan, report), 'claims.json'), stageNames.report),
  );
  const content = (packed: readonly Packed[]): CrateContent => ({
    ...run,
    records: [...run.records.values()],
    files: packed.map(({ content: _, ...one }) => one),
    data: { ...dataset, licence, simulated: run.simulated, digest: recordings ?? '' },
    verdicts,
  });
  const described = [
    ...found,
    ...[...run.records.values()].map(packRecord),
    ...(await packCards(run)),
    ...(await packCroissants(run, frames, content(found))),
  ];
  const readme = packText('README.md', formatCrateReadme(content(described)), { about: ref('./') });
  const all = [...described, readme].sort((a, b) => compareCodeUnits(a.path, b.path));
  const metadata = packText(METADATA, formatJson(describeCrate(content(all))));
  await writeOutput(file, packZip([metadata, ...all]), options.force === true);
  const sizeBytes = all.reduce((sum, one) => sum + one.sizeBytes, metadata.sizeBytes);
  return { file, files: all.length + 1, sizeBytes, about: summarise(content(all)) };
}

/** The files of a run that are on disk: what describes the project, what stages read, and the outputs that are wanted. */
async function packProject(
  { plan: { projectRoot, profile }, records }: FinishedRun,
  isWanted: (output: RecordedOutput) => boolean,
): Promise<Packed[]> {
  const outputs = [...records.values()].flatMap((record) => record.outputs);
  const isMade = (file: string) =>
    outputs.some(
      (one) => file === one.path || file.startsWith(`${one.path}/`) || one.path.startsWith(`${file}/`),
    );
  const sources = [...records.values()].flatMap(({ parts: { command, inputs } }) => [
    ...(command.kind === 'module' ? [command.path] : []),
    ...inputs.filter((one) => !one.external && !isMade(one.path)).map((one) => one.path),
  ]);
  const project = ['CITATION.cff', 'LICENSE', 'package.json', 'package-lock.json', PIPELINE];
  const wanted = new Set([
    ...project,
    `configs/profiles/${profile}.yaml`,
    ...sources,
    ...outputs.filter(isWanted).map((one) => one.path),
  ]);
  const packed: Packed[] = [];
  for (const top of wanted) {
    const found = await digestPath(path.join(projectRoot, top), null);
    if (found.kind === 'missing') continue;
    for (const { path: below, size, sha256 } of found.tree.entries) {
      const name = path.posix.join(top, below);
      packed.push({ path: name, sizeBytes: size, sha256, content: path.join(projectRoot, name) });
    }
  }
  return packed;
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
  for (const { id, stage } of run.records.values()) {
    if (stage !== stageNames.evaluate) continue;
    const card = await readCard(run, id);
    const folder = `models/${id.replace(/^.*@/, '').replaceAll(',', '-')}`;
    const weights = path.posix.relative(folder, `${card.record.outputs[0]?.path}/best.safetensors`);
    packed.push(packText(`${folder}/README.md`, formatModelCard({ ...card, weights })));
    packed.push(packText(`${folder}/config.json`, formatModelConfig({ ...card, weights })));
  }
  return packed;
}

/** Croissant metadata of the frame cache and, if the recordings are simulated, of these. */
async function packCroissants(run: FinishedRun, frames: RunRecord, content: CrateContent): Promise<Packed[]> {
  const { plan, dataset, citation, licence, simulated, command } = run;
  const title = nameRecordings({ dataset: dataset.name, simulated });
  const describe = async (record: RunRecord, what: string, text: string, clips?: string) => {
    const [output] = record.outputs;
    const found = await digestPath(folderOf(plan, record), null);
    if (output === undefined || found.kind === 'missing') return [];
    const id = idOf(output, content);
    const left = id.startsWith('#') ? ` Not in the crate: \`${command}\` makes the files again.` : '';
    const data = {
      ...{ name: `${what}: ${title}`, description: `${text}${left}`, licence },
      url: simulated ? citation['repository-code'] : dataset.homepage,
      datePublished: endOf(record).slice(0, 10),
      citeAs: simulated ? citation.title : dataset.citation,
      files: found.tree.entries.map(({ path: below, size: sizeBytes, sha256 }) => {
        return { path: path.posix.join(output.path, below), sizeBytes, sha256 };
      }),
      ...(clips === undefined ? {} : { clips: path.posix.join(output.path, clips) }),
    };
    const document = formatJson(describeCroissant(data, citation));
    return [packText(`croissant-${record.stage}.json`, document, { about: ref(id) })];
  };
  const { index } = FRAME_CACHE_FILES;
  const file = path.join(folderOf(plan, frames), index);
  const text = describeFrames(parseClipIndex(await readFile(file, 'utf8'), file));
  const packed = await describe(frames, 'Frames', text, index);
  for (const record of run.records.values()) {
    if (!record.outputs.some(({ digest }) => digest === content.data.digest)) continue;
    const simulation = 'Recordings that this project simulates; no camera made them.';
    packed.push(...(await describe(record, 'Recordings', simulation)));
  }
  return packed;
}

async function* packZip(files: readonly Packed[]): AsyncGenerator<Uint8Array> {
  const zip = new yazl.ZipFile();
  const options = { ...uncompressed(), mode: 0o100644 };
  for (const { path: name, content } of files) {
    if (typeof content === 'string') zip.addFile(content, name, options);
    else zip.addBuffer(Buffer.from(content), name, options);
  }
  zip.on('error', (error) => zip.outputStream.emit('error', error));
  zip.end();
  for await (const chunk of zip.outputStream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}
