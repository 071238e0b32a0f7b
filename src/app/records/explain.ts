import process from 'node:process';
import { unreachable } from '../../base/errors.ts';
import { formatMinute } from '../../base/text.ts';
import { describeFileChange } from '../../runner/freshness/differences.ts';
import { listRuns } from '../../runner/freshness/recorded-runs.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type ExplainedDifference, type Explanation, explainInstances } from '../../runner/run/status.ts';
import { openRecords, type RunRecord } from '../../runner/store/records.ts';
import { exitCode } from '../process/ending.ts';
import { factsOf } from '../project/facts.ts';
import { loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { describeAttempt } from '../view/event-text.ts';
import { formatDone } from '../view/format.ts';
import { type Colors, colorsFor, printResult, toLines, toOneLine } from '../view/print.ts';

interface ExplainOptions extends PipelineOptions {
  readonly against: string;
  readonly list?: boolean;
}

/** `repro explain STAGE`: what makes it stale, or in what it differs from another run. */
export async function explain(target: string, options: ExplainOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { selected, named } = selectInstances(plan, { targets: [target] });
  const facts = factsOf(plan);
  if (options.list === true) return printRuns(plan, named, options);
  const explanations = await explainInstances(plan, {
    facts,
    selected,
    named,
    against: options.against,
  });
  if (explanations.some(({ state }) => state === 'error')) process.exitCode = exitCode.stageFailed;
  const view = {
    colors: colorsFor(process.stdout),
    projectRoot: plan.projectRoot,
  };
  printResult(
    options,
    'explain',
    { profile: plan.profile, instances: explanations.map(documentOf) },
    // An empty line between them.
    () => explanations.flatMap((one, i) => [...(i === 0 ? [] : ['']), ...describeExplanation(one, view)]),
  );
}

function documentOf({ against, ...rest }: Explanation): object {
  return { ...rest, against: against === null ? null : describeRun(against) };
}

function describeRun({ id, fingerprint, profile, startedAt, commit, host, node }: RunRecord) {
  return { id, fingerprint, profile, startedAt, commit, host, node };
}

/** `--list`: the runs that `--against` can name. */
function printRuns(plan: Plan, named: ReadonlySet<string>, options: ExplainOptions): void {
  const records = openRecords(plan);
  const found = [...plan.instances.values()]
    .filter(({ id }) => named.has(id))
    .map((instance) => ({ id: instance.id, runs: listRuns(records, instance) }));
  const instances = found.map(({ id, runs }) => ({
    id,
    runs: runs.map((run) => ({
      ...describeRun(run),
      overrides: run.overrides ?? [],
      seconds: run.seconds,
      metrics: run.metrics,
    })),
  }));
  printResult(options, 'explain --list', { profile: plan.profile, instances }, () =>
    found.flatMap(({ id, runs }) => [
      `${id}${runs.length === 0 ? '  has not run here' : ''}`,
      ...runs.map((run) => `  ${lineOf(run)}`),
    ]),
  );
}

function lineOf(run: RunRecord): string {
  const commit = run.commit === null ? '-'.padEnd(8) : `${run.commit.slice(0, 7)}${run.dirty ? '+' : ' '}`;
  const started = run.startedAt.slice(0, 19).replace('T', ' ');
  const { fingerprint, profile, overrides = [] } = run;
  return toOneLine(
    [fingerprint.slice(0, 12), started, profile, commit, formatDone(run), ...overrides].join('  '),
  );
}

/** More files of one folder, or stages to wait for, than this are counted only. */
const filesAtMost = 20;

interface ExplanationView {
  readonly colors: Colors;
  /** Absolute. */
  readonly projectRoot: string;
}

const states = {
  fresh: 'is up to date',
  restorable: 'is up to date, but its outputs must be restored',
  stale: 'is stale',
  'never-run': 'has not run yet',
  failed: 'failed in its last attempt',
  running: 'is running',
  error: 'cannot be judged',
} as const;

/** An explanation for people. */
function describeExplanation(one: Explanation, view: ExplanationView): string[] {
  const c = view.colors;
  const paint = {
    fresh: c.green,
    restorable: c.cyan,
    running: c.cyan,
    stale: c.yellow,
    'never-run': c.yellow,
    failed: c.red,
    error: c.red,
  }[one.state];
  const head = `${c.bold(toOneLine(one.id))} ${paint(states[one.state])}`;
  if (one.error !== undefined) return [`${head}:`, ...toLines(one.error.text).map((line) => `  ${line}`)];
  const compared = one.against === null ? [] : [`compared with ${nameRun(one.against, one.id)}:`];
  const found = [
    ...one.reasons.map(({ text }) => `  ${toOneLine(text)}`),
    ...one.differences.flatMap((difference) => describeDifference(difference, c)),
    ...describeAwaited(one),
  ];
  if (one.attempt !== undefined) {
    const attempt = describeAttempt(one.id, one.attempt, view.projectRoot);
    return [`${head}:`, ...[...attempt, ...compared].map((line) => `  ${line}`), ...found];
  }
  const isSilent = found.length === 0 && one.against !== null;
  return [[head, ...compared].join('; '), ...(isSilent ? ['  nothing differs from that run'] : found)];
}

/** The stages that make it wait; those between them and it only pass that on. */
function describeAwaited({ waitsFor }: Explanation): string[] {
  if (waitsFor.length === 0) return [];
  const causes = waitsFor.filter(({ isCause }) => isCause);
  const shown = causes.slice(0, filesAtMost);
  const rest = waitsFor.length - shown.length;
  const why = shown.length === causes.length ? ', which wait for these' : '';
  return [
    '  these have to run first:',
    ...shown.map(({ id, reasons }) => `    ${id}  ${toOneLine(reasons.map(({ text }) => text).join('; '))}`),
    ...(rest === 0 ? [] : [`    and ${rest} more${why}`]),
  ];
}

function nameRun(run: RunRecord, id: string): string {
  const { startedAt, commit, fingerprint, profile } = run;
  const what = run.id === id ? '' : ` of ${run.id}`;
  const name = `the run${what} of ${formatMinute(startedAt)}`;
  const details = [fingerprint.slice(0, 12), `profile ${profile}`];
  if (commit !== null) details.push(`commit ${commit.slice(0, 7)}`);
  return `${name} (${details.join(', ')})`;
}

/** With digests of changed files, and values of parameters in full. */
function describeDifference(difference: ExplainedDifference, colors: Colors): string[] {
  const line = (text: string, detail = ''): string => `  ${toOneLine(text)}${colors.dim(detail)}`;
  const show = (value: unknown) => (value === undefined ? 'unset' : JSON.stringify(value));
  switch (difference.kind) {
    case 'code':
      return [line(difference.text, nameDigests(difference))];
    case 'param': {
      const { name, before, now, where } = difference;
      return [line(`${name}: ${show(before)} → ${show(now)}`, where === null ? '' : `  (${where})`)];
    }
    case 'input': {
      const { path: input, files, ofOutputs, text } = difference;
      if (files.length < 2) return [line(text, nameDigests(files[0] ?? difference))];
      const rest = files.length - filesAtMost;
      return [
        line(`${input}: ${files.length} differ`),
        ...files
          .slice(0, filesAtMost)
          .map((file) => `  ${line(describeFileChange(file, ofOutputs), nameDigests(file))}`),
        ...(rest <= 0 ? [] : [line(`  and ${rest} more: --json lists all`)]),
      ];
    }
    case 'command':
    case 'outputs':
    case 'package':
    case 'variable':
    case 'fact':
    case 'runtime':
      return [line(difference.text)];
    default:
      return unreachable(difference);
  }
}

/** `  (3f9a1c20d7e4 → 8a5c71fb0e2d)`, where there are two. */
function nameDigests({ before, now }: { readonly before: string | null; readonly now: string | null }) {
  const isNamed = [before, now].every((one) => /^[0-9a-f]{64}$/.test(one ?? ''));
  return isNamed ? `  (${before?.slice(0, 12)} → ${now?.slice(0, 12)})` : '';
}
