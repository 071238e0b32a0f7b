import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { chooseFigures, type ListedFigure, readFigureList } from '../../figure-export/figure-list.ts';
import { findRun } from '../../runner/freshness/recorded-runs.ts';
import { openSession } from '../../runner/freshness/session.ts';
import { RecordedFiles } from '../../runner/store/recorded-files.ts';
import { describeConfiguration } from '../../runner/store/records.ts';
import { factsOf } from '../doctor/facts.ts';
import { loadPlanForReading, type PipelineOptions } from '../load.ts';

/** Where figures come from. */
export interface FigureSource {
  /** In words. */
  readonly name: string;
  /** When the run began, by its record; the epoch for a folder, which says nothing about it. */
  readonly date: Date;
  readonly figures: readonly ListedFigure[];
  /** @throws {ReproError} if the file is gone */
  read(name: string): Promise<Buffer>;
  /** The path of a figure's file, for errors. */
  placeOf(name: string): string;
}

/** Figures and tables of a report are far smaller. */
const BYTES_AT_MOST = 256 * 1024 * 1024;
const LIST = 'index.json';

export interface SourceOptions extends PipelineOptions {
  /** As `repro explain --against` takes it. */
  readonly run: string;
  /** A folder with a report, instead of a run. */
  readonly report?: string;
  readonly figure: readonly string[];
}

/** @throws {ReproError} `no-record`, `output-gone`, `figure-file`, `usage` */
export async function openFigures(options: SourceOptions): Promise<FigureSource> {
  return options.report === undefined ? openRun(options) : openFolder(options.report, options.figure);
}

async function openFolder(folder: string, ids: readonly string[]): Promise<FigureSource> {
  const placeOf = (name: string): string => path.join(folder, 'figures', name);
  const read = (name: string): Promise<Buffer> =>
    readFile(placeOf(name)).catch((cause: unknown) => {
      const problem = hasErrorCode(cause, 'ENOENT', 'ENOTDIR') ? 'this file is missing' : String(cause);
      throw new ReproError('figure-file', problem, {
        where: placeOf(name),
        fix: 'Name a folder with a whole report, such as artifacts/report.',
        cause,
      });
    });
  const list = readFigureList(placeOf(LIST), (await read(LIST)).toString('utf8'));
  return {
    name: `the report in ${folder}`,
    date: new Date(0),
    figures: chooseFigures(list, ids),
    read,
    placeOf,
  };
}

async function openRun({ run: wanted, figure: ids, ...options }: SourceOptions): Promise<FigureSource> {
  const plan = await loadPlanForReading(options);
  const instance = plan.instances.get('report');
  if (instance === undefined) {
    throw new ReproError('usage', 'the pipeline has no stage "report"', {
      fix: 'Name the folder of a report: --report DIR',
    });
  }
  const { records, store } = openSession(plan, { facts: factsOf(plan.projectRoot) });
  const found = findRun(wanted, { plan, records, instance, option: '--run' });
  const record = found === null ? null : records.findAction(found.fingerprint);
  const output = record?.outputs[0];
  if (record === null || output === undefined) {
    throw new ReproError(
      'no-record',
      found === null ? 'there is no report yet' : 'that report was not made here',
      {
        where: `--run ${wanted}`,
        fix: 'Make it: ./repro run report',
      },
    );
  }
  const files = new RecordedFiles(store, plan.projectRoot);
  const placeOf = (name: string): string => path.posix.join(output.path, 'figures', name);
  const when = `${record.startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  const name = `the report of ${when}, ${describeConfiguration(record)}`;
  const read = async (file: string): Promise<Buffer> => {
    const bytes = await files.read(output, `figures/${file}`, BYTES_AT_MOST);
    if (bytes !== null) return bytes;
    throw new ReproError('output-gone', `${name} has no such file, or it is no longer kept`, {
      where: placeOf(file),
      fix: 'Make the report again: ./repro run report --force',
    });
  };
  const list = readFigureList(placeOf(LIST), (await read(LIST)).toString('utf8'));
  return { name, date: new Date(record.startedAt), figures: chooseFigures(list, ids), read, placeOf };
}
