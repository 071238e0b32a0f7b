import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';
import { chooseFigures, type ListedFigure, readFigureList } from '../figure-export/figure-list.ts';
import { convertFigure, type Format } from '../figure-export/formats.ts';
import { type FileToWrite, writeFilesAtomic } from '../files/atomic-file.ts';
import { findRecordedRun } from '../runner/freshness/recorded-runs.ts';
import { cacheFolderOf } from '../runner/store/cache-folder.ts';
import { describeConfiguration, openRecords } from '../runner/store/records.ts';
import { Store } from '../runner/store/store.ts';
import { formatMinute } from '../text.ts';
import { loadSelectedPlan, type PipelineOptions } from './load-plan.ts';
import { refuseRunnerFolder } from './reserved-folder.ts';
import { stageNames } from './stages.ts';

export interface FiguresOptions extends PipelineOptions {
  /** As `repro explain --against` takes it. */
  readonly run: string;
  /** A folder with a report, instead of a run. */
  readonly report?: string;
  readonly figure: readonly string[];
  readonly format: readonly Format[];
  readonly out: string;
  readonly dpi: number;
  readonly title?: boolean;
  readonly embedFonts?: boolean;
  readonly captions?: boolean;
  readonly csv?: boolean;
  readonly force?: boolean;
}

/**
 * Writes the figures of a report for papers. Nothing is written unless everything can be.
 *
 * @returns where they come from, in words; the figures; the files, and which of them were as they are already
 */
export async function convertFigures(options: FiguresOptions) {
  refuseRunnerFolder(options.out, 'Choose another place with --out.');
  const source = await openFigures(options);
  const files = await convertAll(source, options);
  const written = await writeFiles(files, options.force === true);
  return {
    source: source.name,
    figures: source.figures.map(({ id, title, caption }) => ({ id, title, caption })),
    files: files.map(({ file, content }) => ({
      file,
      sizeBytes: Buffer.byteLength(content),
      isWritten: written.includes(file),
    })),
  };
}

async function convertAll(source: FigureSource, options: FiguresOptions): Promise<FileToWrite[]> {
  const { out, dpi, title = false, embedFonts = false } = options;
  const files: FileToWrite[] = [];
  for (const listed of source.figures) {
    const svg = (await source.read(listed.svg)).toString('utf8');
    const stored = { ...listed, file: path.join(source.folder, listed.svg), svg };
    for (const format of new Set(options.format)) {
      const content = await convertFigure(stored, format, { title, dpi, embedFonts, date: source.date });
      files.push({ file: path.join(out, `${path.basename(listed.svg, '.svg')}.${format}`), content });
    }
    if (options.csv === true)
      files.push({ file: path.join(out, listed.csv), content: await source.read(listed.csv) });
  }
  if (options.captions === true) {
    const texts = source.figures.map(({ id, title: head, caption }) => `${id}\n${head}. ${caption}\n`);
    files.push({ file: path.join(out, 'captions.txt'), content: texts.join('\n') });
  }
  return files;
}

/**
 * Writes each file whole or not at all; those that hold the same already are left as they are.
 *
 * @returns which were written
 * @throws {ReproError} `output-exists` for a file with another content, before anything is written
 */
async function writeFiles(files: readonly FileToWrite[], force: boolean): Promise<string[]> {
  const refuse = (where: string, problem: string, fix: string, cause?: unknown): ReproError =>
    new ReproError('output-exists', `${problem}; nothing was written`, { where, fix, cause });
  const elsewhere = 'Choose another folder with --out';
  const changed: FileToWrite[] = [];
  for (const one of files) {
    const present = await readFile(one.file).catch((cause: unknown) => {
      if (hasErrorCode(cause, 'ENOENT')) return null;
      const problem = hasErrorCode(cause, 'ENOTDIR') ? 'a file is where a folder is needed' : String(cause);
      throw refuse(one.file, problem, `${elsewhere}.`, cause);
    });
    if (present?.equals(Buffer.from(one.content)) === true) continue;
    if (present !== null && !force) {
      const problem = 'this file already exists, with another content';
      throw refuse(one.file, problem, `${elsewhere}, or replace it with --force.`);
    }
    changed.push(one);
  }
  await writeFilesAtomic(changed);
  return changed.map(({ file }) => file);
}

/** Where figures come from. */
interface FigureSource {
  /** In words. */
  readonly name: string;
  /** When the run began, by its record; the epoch for a folder, which says nothing about it. */
  readonly date: Date;
  readonly figures: readonly ListedFigure[];
  /** The folder of their files, for errors. */
  readonly folder: string;
  /** @throws {ReproError} if the file is gone */
  read(name: string): Promise<Buffer>;
}

/** Figures and tables of a report are far smaller. */
const BYTES_AT_MOST = 256 * 1024 * 1024;
const LIST = 'index.json';

/** @throws {ReproError} `no-record`, `output-gone`, `figure-file`, `usage` */
async function openFigures(options: FiguresOptions): Promise<FigureSource> {
  const { report, figure: ids } = options;
  const source = report === undefined ? await openRun(options) : openFolder(report);
  const list = readFigureList(path.join(source.folder, LIST), (await source.read(LIST)).toString('utf8'));
  return { ...source, figures: chooseFigures(list, ids) };
}

function openFolder(report: string): Omit<FigureSource, 'figures'> {
  const folder = path.join(report, 'figures');
  const read = (name: string): Promise<Buffer> => {
    const where = path.join(folder, name);
    return readFile(where).catch((cause: unknown) => {
      const problem = hasErrorCode(cause, 'ENOENT', 'ENOTDIR') ? 'this file is missing' : String(cause);
      const fix = 'Name a folder with a whole report, such as artifacts/report.';
      throw new ReproError('figure-file', problem, { where, fix, cause });
    });
  };
  return { name: `the report in ${report}`, date: new Date(0), folder, read };
}

async function openRun({ run: wanted, ...options }: FiguresOptions): Promise<Omit<FigureSource, 'figures'>> {
  const plan = await loadSelectedPlan(options);
  const instance = plan.instances.get(stageNames.report);
  if (instance === undefined) {
    throw new ReproError('usage', 'the pipeline has no stage "report"', {
      fix: 'Name the folder of a report: --report DIR',
    });
  }
  const [records, store] = [openRecords(plan), new Store(cacheFolderOf(plan).store)];
  const found = findRecordedRun(wanted, { plan, records, instance, option: '--run' });
  const record = found === null ? null : records.findAction(found.fingerprint);
  const output = record?.outputs[0];
  if (record === null || output === undefined) {
    const problem = found === null ? 'there is no report yet' : 'that report was not made here';
    throw new ReproError('no-record', problem, {
      where: `--run ${wanted}`,
      fix: 'Make it: ./repro run report',
    });
  }
  const folder = path.posix.join(output.path, 'figures');
  const name = `the report of ${formatMinute(record.startedAt)}, ${describeConfiguration(record)}`;
  const read = async (file: string): Promise<Buffer> => {
    const bytes = await store.readOutputFile(output, `figures/${file}`, BYTES_AT_MOST);
    if (bytes !== null) return bytes;
    throw new ReproError('output-gone', `${name} has no such file, or it is no longer kept`, {
      where: path.posix.join(folder, file),
      fix: 'Make the report again: ./repro run report --force',
    });
  };
  return { name, date: new Date(record.startedAt), folder, read };
}
