import path from 'node:path';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import {
  type ExplainedDifference,
  type Explanation,
  explainInstances,
} from '../../runner/freshness/explain.ts';
import type { TextDiff } from '../../runner/freshness/kept-texts.ts';
import { describeFile } from '../../runner/freshness/reasons.ts';
import { type ComparedRun, listRuns } from '../../runner/freshness/recorded-runs.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { openRecords, type RunRecord } from '../../runner/store/records.ts';
import { exitCode } from '../process/ending.ts';
import { describeAttempt } from '../view/event-text.ts';
import { formatDone } from '../view/format.ts';
import type { Colors } from '../view/print.ts';
import { colorsFor, printJson, printWarning } from '../view/print.ts';
import { toLines, toOneLine } from '../view/safe-text.ts';

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
    printRuns(plan, named, options.json === true);
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
function printRuns(plan: Plan, named: ReadonlySet<string>, asJson: boolean): void {
  const records = openRecords(plan);
  const found = [...plan.instances.values()]
    .filter(({ id }) => named.has(id))
    .map((instance) => ({ id: instance.id, runs: listRuns(records, instance) }));
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

/** More files of one folder, or stages to wait for, than this are counted only. */
const filesAtMost = 20;

interface ExplanationView {
  readonly colors: Colors;
  /** Lines of each text's difference; 0 for all. */
  readonly linesAtMost: number;
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
  const attempted = one.attempt === undefined ? [] : describeAttempt(one.id, one.attempt, view.projectRoot);
  const lines =
    attempted.length === 0
      ? [`${head}${describeAgainst(one)}`]
      : [`${head}:`, ...attempted.map((line) => `  ${line}`), ...describeStaleness(one)];
  for (const { text } of one.reasons) lines.push(`  ${toOneLine(text)}`);
  for (const difference of one.differences) lines.push(...describeDifferenceLines(difference, view));
  lines.push(...describeAwaited(one));
  const isSilent = lines.length === 1 && one.against !== null;
  if (isSilent) lines.push(`  nothing differs from that run`);
  return lines;
}

/** Beside what its last attempt came to. */
function describeStaleness(one: Explanation): string[] {
  return one.against === null ? [] : [`  compared with ${nameRun(one.against, one.id)}:`];
}

/** The stages that make it wait; those between them and it only pass that on. */
function describeAwaited({ waitsFor }: Explanation): string[] {
  if (waitsFor.length === 0) return [];
  const causes = waitsFor.filter(({ isCause }) => isCause);
  const shown = causes.slice(0, filesAtMost);
  const rest = waitsFor.length - shown.length;
  return [
    '  these have to run first:',
    ...shown.map(({ id, reasons }) => `    ${id}  ${toOneLine(reasons.map(({ text }) => text).join('; '))}`),
    ...(rest === 0
      ? []
      : [`    and ${rest} more${rest === waitsFor.length - causes.length ? ', which wait for these' : ''}`]),
  ];
}

function describeAgainst({ against, id }: Explanation): string {
  if (against === null) return '';
  return `; compared with ${nameRun(against, id)}:`;
}

function nameRun(run: ComparedRun, id: string): string {
  const { startedAt, commit } = run;
  const what = run.id === id ? '' : ` of ${run.id}`;
  const when = startedAt === undefined ? 'the committed record' : `the run`;
  const at = startedAt === undefined ? '' : ` of ${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  const details = [
    run.fingerprint.slice(0, 12),
    `profile ${run.profile}`,
    ...(commit == null ? [] : [`commit ${commit.slice(0, 7)}`]),
  ];
  return `${when}${what}${at} (${details.join(', ')})`;
}

function describeDifferenceLines(
  { difference, reason, where, diffs }: ExplainedDifference,
  { colors, linesAtMost }: ExplanationView,
): string[] {
  const lines: string[] = [];
  if (difference.kind === 'param') {
    const [before, now] = [difference.before, difference.now].map((value) =>
      value === undefined ? 'unset' : JSON.stringify(value),
    );
    lines.push(
      `  ${difference.name}: ${before} → ${now}${where === undefined ? '' : colors.dim(`  (${where})`)}`,
    );
  } else if (difference.kind === 'input' && difference.files.length > 1) {
    const { path: input, files, ofOutputs } = difference;
    const diffOf = new Map(diffs.map(({ path, diff }) => [path, diff]));
    lines.push(`  ${toOneLine(input)}: ${files.length} differ`);
    for (const file of files.slice(0, filesAtMost)) {
      lines.push(`    ${toOneLine(describeFile(file, ofOutputs ? 'is no longer read' : 'is gone'))}`);
      const diff = diffOf.get(path.posix.join(input, file.path));
      if (diff !== undefined) lines.push(...describeDiff(diff, linesAtMost, colors));
    }
    const rest = files.slice(filesAtMost);
    const hidden = rest.filter((file) => diffOf.has(path.posix.join(input, file.path))).length;
    const also = hidden === 0 ? '' : `, with differences of ${hidden === 1 ? 'a text' : `${hidden} texts`}`;
    if (rest.length > 0) lines.push(`    and ${rest.length} more${also}: --json lists all`);
    return lines;
  } else {
    lines.push(`  ${toOneLine(reason.text)}`);
  }
  for (const { diff } of diffs) lines.push(...describeDiff(diff, linesAtMost, colors));
  return lines;
}

function describeDiff(diff: TextDiff, linesAtMost: number, colors: Colors): string[] {
  if (diff.kind === 'unavailable')
    return [`      ${colors.dim(`(no line by line difference: ${diff.why})`)}`];
  const shown = linesAtMost === 0 ? diff.lines : diff.lines.slice(0, linesAtMost);
  const rest = diff.lines.length - shown.length;
  return [
    ...shown.map((line) => paintLine(escapeLine(line), colors)),
    ...(rest === 0
      ? []
      : [colors.dim(`and ${rest} more ${rest === 1 ? 'line' : 'lines'}: --lines 0 shows all`)]),
  ].map((line) => `      ${line}`);
}

function paintLine(line: string, colors: Colors): string {
  if (line.startsWith('+')) return colors.green(line);
  if (line.startsWith('-')) return colors.red(line);
  return line.startsWith('@@') ? colors.cyan(line) : line;
}

/** A text may contain what a terminal takes for commands, and what reorders or hides text; a difference should show that, too. */
function escapeLine(line: string): string {
  return line.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g,
    (character) => {
      const hex = character.charCodeAt(0).toString(16);
      return hex.length > 2 ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`;
    },
  );
}
