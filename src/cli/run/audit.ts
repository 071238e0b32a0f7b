import os from 'node:os';
import process from 'node:process';
import { fileComparers } from '../../apps/audit-formats.ts';
import { factsOf } from '../../apps/facts.ts';
import { loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import {
  type Audit,
  type AuditedFile,
  type AuditedMetric,
  type AuditedOutput,
  auditFolder,
  auditInstances,
} from '../../runner/extras/audit/audit.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { formatSeconds } from '../view/format.ts';
import { openView } from '../view/open-view.ts';
import type { Colors } from '../view/print.ts';
import { colorsFor, printJson, printWarning } from '../view/print.ts';
import { applyEvent, createRunState } from '../view/run-state.ts';
import { toLines, toOneLine } from '../view/safe-text.ts';

interface AuditOptions extends PipelineOptions {
  readonly runs: number;
  readonly tolerance: ReadonlyMap<string, number>;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `repro audit STAGE`: whether it computes the same again; progress on stderr, the comparison on stdout. */
export async function audit(target: string, options: AuditOptions): Promise<void> {
  const plan = await loadCheckedPlan(options, printWarning);
  const { named } = selectInstances(plan, { targets: [target] });
  const view = await openView();
  const signals = listenForSignals();
  let state = createRunState();
  const failures: string[] = [];
  const onEvent = (event: RunEvent): void => {
    const nowMs = Date.now();
    if (event.kind === 'run-started') state = createRunState();
    if (event.kind === 'failed')
      failures.push(...toLines(`${event.id}: ${event.text}`), ...event.logTail.map(toOneLine));
    applyEvent(state, event, nowMs);
    view.show(event, state, nowMs);
  };
  let audits: Audit[];
  try {
    audits = await auditInstances(
      plan,
      [...plan.instances.values()].filter(({ id }) => named.has(id)),
      {
        runs: options.runs,
        tolerances: options.tolerance,
        comparers: fileComparers,
        keep: options.keep === true,
        jobs: os.availableParallelism(),
        facts: factsOf(plan.projectRoot),
        signal: signals.stop,
        killSignal: signals.kill,
        onEvent,
      },
    );
  } finally {
    view.close();
    signals.dispose();
  }
  for (const line of failures) process.stderr.write(`${line}\n`);
  if (options.json === true) {
    printJson({ version: 1, command: 'audit', profile: plan.profile, runs: options.runs, instances: audits });
  } else {
    const colors = colorsFor(process.stdout);
    for (const one of audits)
      process.stdout.write(`${describeAudit(one, options.runs, colors).join('\n')}\n`);
  }
  if (options.keep === true) process.stderr.write(`the outputs of each run are in ${auditFolder}\n`);
  process.exitCode = exitCodeOfAudits(audits, signals.received());
}

function exitCodeOfAudits(audits: readonly Audit[], received: NodeJS.Signals | null): number {
  if (audits.some(({ outcome }) => outcome === 'interrupted')) return exitCodeOfSignal(received);
  if (audits.some(({ outcome }) => outcome === 'failed')) return exitCode.stageFailed;
  return audits.every(({ isSame }) => isSame) ? exitCode.ok : exitCode.differs;
}

/** More files of an output than this are counted only. */
const filesAtMost = 10;

/** An audit for people. */
function describeAudit(audit: Audit, runs: number, colors: Colors): string[] {
  const { id, outcome, isSame, outputs, metrics } = audit;
  if (outcome !== 'ok') return [colors.red(`${id} ${outcome}, so there is nothing to compare`)];
  const times = audit.seconds.map(formatSeconds).join(', ');
  const verdict = isSame
    ? colors.green(`${id} computes the same again`)
    : colors.red(`${id} does not compute the same again`);
  return [
    `${verdict} (${runs} runs: ${times})`,
    ...(audit.isAsRecorded === false
      ? [
          colors.red('  differs from the recorded result of the same code, inputs and parameters:'),
          '    it may depend on something that it does not declare; `repro run --trace --force` shows what it touches',
        ]
      : []),
    ...outputs.flatMap((output) => describeOutput(output, runs)),
    ...metrics.flatMap((metric) => describeMetric(metric, colors)),
  ];
}

function describeOutput({ path, digests, files }: AuditedOutput, runs: number): string[] {
  if (new Set(digests).size === 1) return [`  ${toOneLine(path)}: equal to the byte in all ${runs} runs`];
  const lines = [
    `  ${toOneLine(path)}: ${files.length === 1 ? 'one difference' : `${files.length} differences`}`,
  ];
  for (const file of files.slice(0, filesAtMost)) lines.push(...describeFile(file, runs));
  if (files.length > filesAtMost) lines.push(`    and ${files.length - filesAtMost} more: --json lists all`);
  return lines;
}

function describeFile({ path, change, run, difference }: AuditedFile, runs: number): string[] {
  const name = path === '' ? 'the file' : toOneLine(path);
  const which = runs === 2 ? '' : ` (run ${run})`;
  if (change === 'only-in-first') return [`    ${name} is only in the first run${which}`];
  if (change === 'not-in-first') return [`    ${name} is not in the first run${which}`];
  if (change === 'empty-folder') return [`    an empty folder is not in all runs${which}`];
  if (difference === null) return [`    ${name} differs${which}`];
  const { firstByte, sizes, details } = difference;
  const size = sizes[0] === sizes[1] ? '' : `, ${sizes[0]} and ${sizes[1]} bytes long`;
  return [
    `    ${name} differs from byte ${firstByte} on${size}${which}`,
    ...details.map((detail) => `      ${toOneLine(detail)}`),
  ];
}

function describeMetric(
  { name: given, values, tolerance, isWithin, distance }: AuditedMetric,
  colors: Colors,
): string[] {
  const name = toOneLine(given);
  const shown = values.map((value) => (value === null ? 'none' : toOneLine(String(value)))).join(', ');
  if (tolerance === null) return isWithin ? [] : [`  metric ${name}: ${shown}`];
  const bound = `${distance === null ? '' : `apart by ${distance}, `}allowed ${tolerance}`;
  const line = `  metric ${name}: ${shown} (${bound})`;
  return [isWithin ? line : colors.red(line)];
}
