import { existsSync } from 'node:fs';
import process from 'node:process';
import { describeError } from '../../errors.ts';
import { cacheFolderOf } from '../../runner/cache/cache-folder.ts';
import type { JobReports } from '../../runner/cluster/job-report.ts';
import type { Plan } from '../../runner/plan.ts';
import { selectInstances } from '../../runner/selection.ts';
import { type InstanceStatus, readStatus } from '../../runner/status.ts';
import { describeJob } from '../cluster/job-line.ts';
import { factsOf } from '../doctor/facts.ts';
import { exitCode } from '../exit-code.ts';
import { loadCheckedPlan, type PipelineOptions, printJson } from '../load.ts';
import { describeAttempt } from '../view/attempt-lines.ts';
import { colorsFor } from '../view/colors.ts';
import { toLines, toOneLine } from '../view/safe-text.ts';

interface StatusOptions extends PipelineOptions {
  readonly exitCode?: boolean;
  readonly json?: boolean;
}

const words = {
  fresh: 'up to date',
  restorable: 'to restore',
  stale: 'stale',
  'never-run': 'never run',
  failed: 'failed',
  running: 'running',
  error: 'error',
} as const;

/** The width of the column of words, with the spaces around it. */
const indent = 14;

/** `repro status`: a line for each instance, with every reason why it is stale; more for one that fails or is under way. */
export async function status(targets: readonly string[], options: StatusOptions): Promise<void> {
  const plan = await loadCheckedPlan(options);
  const { selected, named } = selectInstances(plan, { targets });
  const all = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected });
  const { jobs, problems } = await readJobs(plan);
  for (const problem of problems) process.stderr.write(`${toLines(describeError(problem)).join('\n')}\n`);
  const wanted = all
    .filter((one) => named.has(one.id))
    .map((one) => {
      const job = jobs.get(one.id);
      return job === undefined ? one : { ...one, job };
    });
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'status',
      profile: plan.profile,
      instances: wanted,
      inactive: plan.inactive,
    });
  } else {
    const c = colorsFor(process.stdout);
    const paint = {
      fresh: c.green,
      restorable: c.cyan,
      stale: c.yellow,
      'never-run': c.yellow,
      failed: c.red,
      running: c.cyan,
      error: c.red,
    };
    const width = Math.max(0, ...wanted.map((one) => one.id.length));
    for (const one of wanted) {
      const job = 'job' in one ? [describeJob(one.job)] : [];
      const [said, ...more] = [...job, ...linesOf(one, plan.projectRoot)];
      const reasons = said ?? toOneLine(one.reasons.map((reason) => reason.text).join('; '));
      process.stdout.write(
        `${`${one.id.padEnd(width)}  ${paint[one.state](words[one.state].padEnd(10))}  ${reasons}`.trimEnd()}\n`,
      );
      for (const line of more) process.stdout.write(`${' '.repeat(width + indent)}${line}\n`);
    }
    for (const stage of plan.inactive) {
      process.stdout.write(`${stage.padEnd(width)}  ${c.dim(`not part of profile ${plan.profile}`)}\n`);
    }
  }
  if (wanted.some((one) => one.state === 'error')) process.exitCode = exitCode.stageFailed;
  else if (options.exitCode === true && wanted.some((one) => one.state !== 'fresh'))
    process.exitCode = exitCode.stale;
}

/** The jobs of a run on a cluster; most projects have none, so loaded on demand. */
async function readJobs(plan: Plan): Promise<JobReports> {
  const folder = cacheFolderOf(plan);
  if (!existsSync(folder.jobs)) return { jobs: new Map(), problems: [] };
  return (await import('../../runner/cluster/job-report.ts')).readJobReports(folder, process.env);
}

/** What there is to say instead of reasons. */
function linesOf(one: InstanceStatus, projectRoot: string): string[] {
  if (one.error !== undefined) return toLines(one.error.text);
  return one.attempt === undefined ? [] : describeAttempt(one.id, one.attempt, projectRoot);
}
