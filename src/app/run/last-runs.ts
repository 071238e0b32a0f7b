import { createReadStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { ReproError } from '../../base/errors.ts';
import { formatBytes } from '../../base/text.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type InstanceStatus, readStatus } from '../../runner/run/status.ts';
import { Attempts } from '../../runner/store/attempts.ts';
import { type CacheFolder, cacheFolderOf, logFileOf } from '../../runner/store/cache-folder.ts';
import { describeRun, Records } from '../../runner/store/records.ts';
import { Store } from '../../runner/store/store.ts';
import { factsOf } from '../project/facts.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments } from '../project/load-plan.ts';
import { rerunCommand } from '../view/event-text.ts';
import { formatDone, formatFigure } from '../view/format.ts';
import { alignTopics, colorsFor, printJson, printResult, toOneLine } from '../view/print.ts';

/** `repro logs STAGE`: prints the log of the stage's result, or of its last run if that failed or is under way. */
export async function logs(target: string, options: PipelineOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const folder = cacheFolderOf(plan);
  const { named } = selectInstances(plan, { targets: [target] });
  const found = (await Promise.all([...named].map((id) => findLog(folder, id)))).filter(
    (log) => log !== null,
  );
  if (options.json === true) {
    printJson({ version: 1, command: 'logs', logs: found });
    return;
  }
  if (found.length === 0) {
    throw new ReproError('no-log', `"${target}" has not run here, so it has no log`, {
      fix: `Run it: ${rerunCommand(target, pipelineArguments(options))}`,
    });
  }
  for (const { id, file } of found) {
    if (found.length > 1) process.stdout.write(`==> ${id} <==\n`);
    const log = process.stdout.isTTY ? harmlessLines(file) : createReadStream(file);
    await pipeline(log, process.stdout, { end: false });
  }
}

/** A stage may print anything, also what acts on a terminal. */
async function* harmlessLines(file: string): AsyncGenerator<string> {
  for await (const line of (await open(file)).readLines()) yield `${toOneLine(line)}\n`;
}

/** The log of the result in place is in the store; the file by the stage's name is that of the last run, whichever it was. */
async function findLog(folder: CacheFolder, id: string): Promise<{ id: string; file: string } | null> {
  const last = logFileOf(folder, id);
  const hasUnfinished = new Attempts(folder).find(id) !== null;
  const { log } = new Records(folder).findLast(id) ?? {};
  const store = new Store(folder.store);
  if (!hasUnfinished && log !== undefined && store.hasFile(log)) return { id, file: store.fileOf(log) };
  return existsSync(last) && (hasUnfinished || log === undefined) ? { id, file: last } : null;
}

/** `repro metrics`: what each stage measured, with its time and memory. Results of other settings, code or data are marked. */
export async function metrics(targets: readonly string[], options: PipelineOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { profile } = plan;
  const { named, selected } = selectInstances(plan, { targets });
  const all = await readStatus(plan, { facts: factsOf(plan), selected });
  const wanted = all.filter(({ id }) => named.has(id));
  const instances = wanted.map(({ id, state, record, isPresent }) => ({
    id,
    state,
    isPresent,
    profile: record?.profile ?? null,
    overrides: record?.overrides ?? [],
    seconds: record?.seconds ?? null,
    peakMemoryBytes: record?.peakMemoryBytes ?? null,
    metrics: record?.metrics ?? null,
  }));
  printResult(options, 'metrics', { profile, instances }, () =>
    wanted.flatMap((one) => describeMetrics(one, profile)),
  );
}

function describeMetrics({ id, record, isPresent, reasons }: InstanceStatus, profile: string): string[] {
  if (record === null) return [`${id}  has not run`];
  const memory = record.peakMemoryBytes === null ? 'memory unknown' : formatBytes(record.peakMemoryBytes);
  const why = [describeRun(record, profile), ...reasons.map(({ text }) => text)].join('; ');
  const mark = toOneLine(`not up to date with the present settings, code and data: ${why}`);
  const rows = Object.entries(record.metrics).map(([name, value]): [string, string] => [
    toOneLine(name),
    typeof value === 'number' ? formatFigure(value) : toOneLine(String(value)),
  ]);
  return [
    `${id}  ${formatDone(record)}, ${memory}`,
    ...(isPresent ? [] : [`  ${colorsFor(process.stdout).yellow(mark)}`]),
    ...alignTopics(rows).map((line) => `  ${line}`),
  ];
}

/** `repro graph`: shows the stages and their dependencies. */
export async function graph(options: PipelineOptions & { readonly mermaid?: boolean }): Promise<void> {
  const { describeGraph, drawGraph, drawMermaid } = await import('../../runner/extras/drawing.ts');
  const plan = await loadSelectedPlan(options);
  if (options.json === true) printJson(describeGraph(plan));
  else process.stdout.write(`${options.mermaid === true ? drawMermaid(plan) : drawGraph(plan)}\n`);
}
