import { createHash } from 'node:crypto';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { requireEnding, writeOutput } from '../../base/files/chosen-file.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { packZip } from '../../base/files/zip-file.ts';
import { getAt } from '../../base/schema/json.ts';
import { readYamlFile } from '../../base/schema/yaml-document.ts';
import { formatBytes, formatCount } from '../../base/text.ts';
import { findLicence, findPlaceholder, licenceUrl, readCitation } from '../../exchange/sharing/citation.ts';
import { describeCrate } from '../../exchange/sharing/crate.ts';
import {
  type CrateContent,
  type CrateFile,
  coversPath,
  formatCrateReadme,
  licenseFrames,
  PIPELINE,
  ref,
  summariseCrate,
} from '../../exchange/sharing/crate-content.ts';
import { EXPLORE_PAGE } from '../../report/explorable/make/page.ts';
import { formatJson } from '../../results/result-file.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { fileNameOf } from '../../runner/store/cache-folder.ts';
import { digestPath } from '../../runner/store/digest.ts';
import { withoutPlaces } from '../../runner/store/fingerprint-parts.ts';
import { describeConfiguration, type RecordedOutput, type RunRecord } from '../../runner/store/records.ts';
import { isSimulated, readCheckedFacts } from '../project/dataset-files.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments } from '../project/load-plan.ts';
import { refuseRunnerFolder } from '../project/reserved-folder.ts';
import { stageNames } from '../project/stages.ts';
import { findResults, readVerdicts } from '../records/baseline.ts';
import { printResult, printWarning } from '../view/print.ts';

interface CrateOptions extends PipelineOptions {
  readonly out?: string;
  readonly force?: boolean;
}

/** A file of the crate: its content, or where it is on disk. */
type Packed = CrateFile & { readonly content: Uint8Array | string };

/**
 * `repro export crate`: a finished run in one zip, an RO-Crate. Packing the same run again gives the same bytes.
 *
 * @throws {ReproError} of `readFinishedRun`, `requireEnding` and `writeOutput`
 */
export async function exportCrate(options: CrateOptions): Promise<void> {
  if (options.out !== undefined) requireEnding(options.out, 'zip', 'Change the name: --out NAME.zip');
  const run = await readFinishedRun(options);
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
    return digest !== recordings && !isFrames(output);
  });
  const files = licenseFrames(project, (one) => one.path === explorePage, licence);
  const content: CrateContent = { ...run, recordings, files, verdicts: await readVerdicts(plan) };
  const all = [
    ...files,
    ...records.map(packRecord),
    packText('README.md', formatCrateReadme(content), { about: ref('./') }),
  ].sort((a, b) => compareCodeUnits(a.path, b.path));
  const metadata = packText('ro-crate-metadata.json', formatJson(describeCrate({ ...content, files: all })));
  const packed = [metadata, ...all];
  const entries = packed.map((one) => [one.path, one.content] as const);
  await writeOutput(file, packZip(entries, 0o100644), options.force === true);
  const sizeBytes = packed.reduce((sum, one) => sum + one.sizeBytes, 0);
  const about = summariseCrate(run);
  printResult(options, 'export crate', { file, files: packed.length, sizeBytes, about }, () => [
    `${file}: ${formatCount(packed.length, 'file')}, ${formatBytes(sizeBytes)}`,
    about,
  ]);
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

/** Of the stages that are not up to date: the first ones explain the rest. */
const MOST_SHOWN = 5;

/**
 * Reads what is needed to share a run.
 *
 * @throws {ReproError} `run-unfinished`, with the stages that are not up to date and the command that runs them
 */
async function readFinishedRun(options: PipelineOptions) {
  const plan = await loadSelectedPlan(options);
  const { profile, projectRoot, settings, trial } = plan;
  const citation = readCitation(
    (await readYamlFile(path.join(projectRoot, 'CITATION.cff'), 'CITATION.cff')).value,
  );
  const dataset = await readCheckedFacts(projectRoot, String(getAt(settings, ['dataset', 'name'])));
  const simulated = isSimulated(settings);
  const known = simulated ? licenceUrl(citation.license) : findLicence(dataset.licence);
  const results = await findResults(plan, selectInstances(plan, {}).selected);
  if (results.kind === 'stale') {
    const { stale } = results;
    const lines = stale.slice(0, MOST_SHOWN).map(({ id, state, reasons }) => {
      return `  ${id}  ${reasons.map(({ text }) => text).join('; ') || state}`;
    });
    if (stale.length > MOST_SHOWN) lines.push(`  and ${stale.length - MOST_SHOWN} more`);
    const words = ['./repro', 'run', ...pipelineArguments(options)];
    throw new ReproError('run-unfinished', ['stages of this run are not up to date:', ...lines].join('\n'), {
      fix: `Bring it up to date: ${quoteWords(words)}`,
    });
  }
  const placeholder = findPlaceholder(citation);
  if (placeholder !== null) printWarning(placeholder);
  const overrides = trial?.overrides ?? [];
  return {
    ...{ plan, citation, dataset, simulated },
    records: results.statuses.flatMap(({ record }) => record ?? []),
    configuration: describeConfiguration(trial === undefined ? { profile } : { profile, overrides }),
    command: quoteWords(['./repro', 'run', ...pipelineArguments({ profile, set: overrides })]),
    licence: known ?? dataset.licence,
  };
}

type FinishedRun = Awaited<ReturnType<typeof readFinishedRun>>;

/** @throws {ReproError} `usage` if the pipeline has no such instance */
function requireRecord({ records }: FinishedRun, id: string): RunRecord {
  const record = records.find((one) => one.id === id);
  if (record !== undefined) return record;
  throw new ReproError('usage', `this run has no "${id}".`, { where: 'pipeline.yaml' });
}
