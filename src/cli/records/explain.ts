import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import { type Explanation, explainInstances, listRecordedRuns } from '../../runner/freshness/explain.ts';
import type { ComparedRun } from '../../runner/freshness/recorded-runs.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import type { RunRecord } from '../../runner/store/records.ts';
import { exitCode } from '../process/exit-code.ts';
import { colorsFor } from '../view/colors.ts';
import { formatDone } from '../view/format.ts';
import { printJson, printWarning } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';
import { describeExplanation } from './explain-lines.ts';

interface ExplainOptions extends PipelineOptions {
  readonly against: string;
  readonly list?: boolean;
  readonly diff: boolean;
  readonly lines: number;
  readonly json?: boolean;
}

/** `repro explain STAGE`: what makes it stale, or in what it differs from another run, to the line. */
export async function explain(target: string, options: ExplainOptions): Promise<void> {
  const plan = await loadPlanForReading(options, printWarning);
  const { selected, named } = selectInstances(plan, { targets: [target] });
  const facts = factsOf(plan.projectRoot);
  if (options.list === true) {
    listRuns(plan, named, options.json === true);
    return;
  }
  const explanations = await explainInstances(plan, {
    facts,
    selected,
    named,
    against: options.against,
    withDiffs: options.diff,
  });
  if (explanations.some(({ state }) => state === 'error')) process.exitCode = exitCode.stageFailed;
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'explain',
      profile: plan.profile,
      instances: explanations.map(documentOf),
    });
    return;
  }
  const view = {
    colors: colorsFor(process.stdout),
    linesAtMost: options.lines,
    projectRoot: plan.projectRoot,
  };
  const texts = explanations.map((one) => `${describeExplanation(one, view).join('\n')}\n`);
  process.stdout.write(texts.join('\n'));
}

function documentOf({ against, differences, ...rest }: Explanation): object {
  return {
    ...rest,
    against: against === null ? null : describeRun(against),
    differences: differences.map(({ difference, reason, where, diffs }) => ({
      ...difference,
      text: reason.text,
      where: where ?? null,
      diffs,
    })),
  };
}

function describeRun({ id, fingerprint, profile, startedAt, commit, host, node }: ComparedRun): object {
  return {
    id,
    fingerprint,
    profile,
    startedAt: startedAt ?? null,
    commit: commit ?? null,
    host: host ?? null,
    node: node ?? null,
  };
}

/** `--list`: the runs that `--against` can name. */
function listRuns(plan: Plan, named: ReadonlySet<string>, asJson: boolean): void {
  const facts = factsOf(plan.projectRoot);
  const found = [...plan.instances.values()]
    .filter(({ id }) => named.has(id))
    .map((instance) => ({ id: instance.id, runs: listRecordedRuns(plan, instance, { facts }) }));
  if (asJson) {
    const instances = found.map(({ id, runs }) => ({
      id,
      runs: runs.map((run) => ({
        ...describeRun(run),
        overrides: run.overrides ?? [],
        seconds: run.seconds,
        metrics: run.metrics,
      })),
    }));
    printJson({ version: 1, command: 'explain --list', profile: plan.profile, instances });
    return;
  }
  for (const { id, runs } of found) {
    process.stdout.write(`${id}${runs.length === 0 ? '  has not run here' : ''}\n`);
    for (const run of runs) process.stdout.write(`  ${lineOf(run)}\n`);
  }
}

function lineOf(run: RunRecord): string {
  const commit = run.commit === null ? '-'.padEnd(8) : `${run.commit.slice(0, 7)}${run.dirty ? '+' : ' '}`;
  const started = run.startedAt.slice(0, 19).replace('T', ' ');
  const words = [
    run.fingerprint.slice(0, 12),
    started,
    run.profile,
    commit,
    formatDone(run),
    ...(run.overrides ?? []),
  ];
  return toOneLine(words.join('  '));
}
