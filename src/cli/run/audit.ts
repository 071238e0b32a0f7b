import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { countCores } from '../../cores.ts';
import {
  type Audit,
  type AuditedFile,
  type AuditedOutput,
  auditFolder,
  auditInstances,
} from '../../runner/extras/audit/audit.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { formatSeconds } from '../view/format.ts';
import { showEvents } from '../view/open-view.ts';
import { type Colors, colorsFor, printResult, toLines, toOneLine } from '../view/print.ts';

interface AuditOptions extends PipelineOptions {
  readonly runs: number;
  readonly keep?: boolean;
}

/** `repro audit STAGE`: whether it computes the same again; progress on stderr, the comparison on stdout. */
export async function audit(target: string, options: AuditOptions): Promise<void> {
  const plan = await loadCheckedPlan(options);
  const { named } = selectInstances(plan, { targets: [target] });
  const failures: string[] = [];
  const { take, close } = await showEvents();
  const signals = listenForSignals();
  const onEvent = (event: RunEvent): void => {
    take(event);
    if (event.kind === 'failed')
      failures.push(...toLines(`${event.id}: ${event.text}`), ...event.logTail.map(toOneLine));
  };
  let audits: Audit[];
  try {
    audits = await auditInstances(
      plan,
      [...plan.instances.values()].filter(({ id }) => named.has(id)),
      {
        runs: options.runs,
        keep: options.keep === true,
        jobs: countCores(),
        facts: factsOf(plan.projectRoot),
        signal: signals.stop,
        killSignal: signals.kill,
        onEvent,
      },
    );
  } finally {
    close();
    signals.dispose();
  }
  for (const line of failures) process.stderr.write(`${line}\n`);
  const { runs } = options;
  printResult(options, 'audit', { profile: plan.profile, runs, instances: audits }, () =>
    audits.flatMap((one) => describeAudit(one, runs, colorsFor(process.stdout))),
  );
  if (options.keep === true) process.stderr.write(`the outputs of each run are in ${auditFolder}\n`);
  const outcomes = new Set(audits.map(({ outcome }) => outcome));
  if (outcomes.has('interrupted')) process.exitCode = exitCodeOfSignal(signals.received());
  else if (outcomes.has('failed')) process.exitCode = exitCode.stageFailed;
  else if (!audits.every(({ isSame }) => isSame)) process.exitCode = exitCode.differs;
}

/** More files of an output than this are counted only. */
const filesAtMost = 10;

/** An audit for people. */
function describeAudit(audit: Audit, runs: number, { red, green }: Colors): string[] {
  const { id, outcome, isSame, outputs, metrics } = audit;
  if (outcome !== 'ok') return [red(`${id} ${outcome}, so there is nothing to compare`)];
  const verdict = isSame
    ? green(`${id} computes the same again`)
    : red(`${id} does not compute the same again`);
  return [
    `${verdict} (${runs} runs: ${audit.seconds.map(formatSeconds).join(', ')})`,
    ...(audit.isAsRecorded === false
      ? [
          red('  differs from the recorded result of the same code, inputs and parameters:'),
          '    it may depend on something that it does not declare; `./repro run --trace --force` shows what it touches',
        ]
      : []),
    ...outputs.flatMap((output) => describeOutput(output, runs)),
    ...metrics.map(({ name, values }) =>
      toOneLine(`  metric ${name}: ${values.map((value) => value ?? 'none').join(', ')}`),
    ),
  ];
}

function describeOutput({ path, digests, files }: AuditedOutput, runs: number): string[] {
  const name = toOneLine(path);
  if (new Set(digests).size === 1) return [`  ${name}: equal to the byte in all ${runs} runs`];
  const more = files.length - filesAtMost;
  return [
    `  ${name}: ${files.length === 1 ? 'one difference' : `${files.length} differences`}`,
    ...files.slice(0, filesAtMost).flatMap((file) => describeFile(file, runs)),
    ...(more > 0 ? [`    and ${more} more: --json lists all`] : []),
  ];
}

function describeFile({ path, change, run, difference }: AuditedFile, runs: number): string[] {
  const name = path === '' ? 'the file' : toOneLine(path);
  const { firstByte, sizes = [0, 0], line = null } = difference ?? {};
  const from = firstByte === undefined ? '' : ` from byte ${firstByte} on`;
  const size = sizes[0] === sizes[1] ? '' : `, ${sizes[0]} and ${sizes[1]} bytes long`;
  const texts = {
    differs: `${name} differs${from}${size}`,
    'only-in-first': `${name} is only in the first run`,
    'not-in-first': `${name} is not in the first run`,
    'empty-folder': 'an empty folder is not in all runs',
  };
  const which = runs === 2 ? '' : ` (run ${run})`;
  return [`    ${texts[change]}${which}`, ...(line === null ? [] : [`      ${toOneLine(line)}`])];
}
