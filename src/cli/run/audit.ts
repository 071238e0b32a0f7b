import os from 'node:os';
import process from 'node:process';
import { fileComparers } from '../../apps/audit-formats.ts';
import { factsOf } from '../../apps/facts.ts';
import { loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { type Audit, auditInstances } from '../../runner/extras/audit/audit.ts';
import { auditFolder } from '../../runner/extras/audit/scratch-runs.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import { exitCode, exitCodeOfSignal } from '../process/exit-code.ts';
import { listenForSignals } from '../process/signals.ts';
import { colorsFor } from '../view/colors.ts';
import { openView } from '../view/open-view.ts';
import { printJson, printWarning } from '../view/print.ts';
import { applyEvent, createRunState } from '../view/run-state.ts';
import { toLines, toOneLine } from '../view/safe-text.ts';
import { describeAudit } from './audit-lines.ts';

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
