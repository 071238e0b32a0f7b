import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { formatCount } from '../../base/text.ts';
import { findProjectRoot, type PipelineOptions } from '../project/load-plan.ts';
import { formatAbout } from '../view/format.ts';
import { alignTopics, colorsFor, printJson, printResult } from '../view/print.ts';
import { estimateFullRun, examineMachine, type FullRunEstimate, type MachineFinding } from './machine.ts';

/**
 * `repro doctor`: lists what this machine has, what it lacks and how to get that; then measures for a few seconds to estimate how long
 * the full reproduction takes. With `--plan`: how much memory a model needs.
 */
export async function doctor(options: PipelineOptions & { readonly plan?: string }): Promise<void> {
  if (options.plan !== undefined) return printPlan(options.plan, options);
  if (options.profile !== undefined || options.set.length > 0) {
    throw new ReproError('usage', '--profile and --set only apply to --plan', {
      fix: 'Name a model: `./repro doctor --plan baseline --profile full`.',
    });
  }
  const root = findProjectRoot(options.project ?? process.cwd());
  const { findings, engines } = await examineMachine(root);
  if (options.json !== true) printFindings(findings);
  const estimate = await estimateFullRun(root, engines, (measure) =>
    whileSaying('Measuring a few training steps …', measure),
  );
  if (options.json === true) {
    printJson({ version: 1, command: 'doctor', findings, fullRun: estimate ?? null });
  } else if (estimate !== undefined) printFindings([describeFullRun(estimate)], findings);
}

/** @throws {ReproError} `out-of-memory` if the memory available here is not enough, after the plan is printed */
async function printPlan(model: string, options: PipelineOptions): Promise<void> {
  const { planModel } = await import('./memory-plan.ts');
  const { lines, document, shortage } = await planModel(model, options);
  printResult(options, 'doctor', { plan: document }, () => alignTopics(lines));
  if (shortage !== undefined) throw shortage;
}

/** Prints what was found, aligned with `all`. */
function printFindings(findings: readonly MachineFinding[], all = findings): void {
  const c = colorsFor(process.stdout);
  const sign = { ok: c.green('ok     '), missing: c.yellow('missing'), problem: c.red('problem') };
  const width = Math.max(...all.map((one) => one.what.length));
  for (const one of findings) {
    process.stdout.write(`${sign[one.state]}  ${one.what.padEnd(width)}  ${one.text}\n`);
    if (one.fix !== null) process.stdout.write(`${' '.repeat(width + 11)}${one.fix}\n`);
  }
}

function describeFullRun(estimate: FullRunEstimate): MachineFinding {
  const what = 'full run';
  if (!estimate.ok) {
    return { what, state: 'missing', text: 'its duration could not be estimated', fix: estimate.reason };
  }
  const [text, fix] = describeEstimate(estimate);
  return { what, state: 'ok', text, fix };
}

function describeEstimate({
  seconds,
  trainings,
  atOnce,
  threads,
  clips,
  secondsPerClip,
}: FullRunEstimate & { ok: true }): [string, string] {
  const millions = (count: number): string => `${(count / 1e6).toFixed(1)} million`;
  return [
    `about ${formatAbout(seconds)} of training, ${atOnce} at a time with ${formatCount(threads, 'thread')} each, besides reading the recordings`,
    `Measured on synthetic frames just now: a core takes ${secondsPerClip.training.toFixed(3)} s to train on a clip, ` +
      `${secondsPerClip.evaluation.toFixed(3)} s to evaluate one; ${trainings} trainings do so ` +
      `${millions(clips.trained)} and ${millions(clips.evaluated)} times.`,
  ];
}

/** Shows a line on a terminal meanwhile. */
async function whileSaying<T>(text: string, work: () => Promise<T>): Promise<T> {
  const shows = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  if (shows) process.stderr.write(text);
  try {
    return await work();
  } finally {
    if (shows) process.stderr.write('\r\x1b[K');
  }
}
