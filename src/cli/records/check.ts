import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { quoteWords } from '../../files/shell-words.ts';
import { checkRecords, type RecordChecks } from '../../runner/lock-files/check.ts';
import type { Plan } from '../../runner/plan.ts';
import { factsOf } from '../doctor/facts.ts';
import { exitCode } from '../exit-code.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments, printJson } from '../load.ts';
import { colorsFor } from '../view/colors.ts';
import { toOneLine } from '../view/safe-text.ts';

interface CheckOptions extends PipelineOptions {
  /** False for `--no-data`. */
  readonly data: boolean;
  readonly json?: boolean;
}

interface ProfileCheck extends RecordChecks {
  readonly kind: 'records';
  readonly profile: string;
}

/** A profile's records, and how to make them again. */
interface Checked {
  readonly check: ProfileCheck;
  readonly remedy: string;
}

/** `repro check`: whether the committed records belong to what is here; one section for each profile. */
export async function check(options: CheckOptions): Promise<void> {
  const checked: Checked[] = [];
  for (const plan of await loadLockedPlans(options)) {
    const result = await checkRecords(plan, {
      withData: options.data,
      facts: factsOf(plan.projectRoot),
    });
    checked.push({
      check: { kind: 'records', profile: plan.profile, ...result },
      remedy: describeRemedy(plan, options),
    });
  }
  const checks = checked.map(({ check }) => check);
  const isGood = checks.every(isConfirmed);
  if (options.json === true) {
    printJson({ version: 1, command: 'check', ok: isGood, checks });
  } else {
    for (const one of checked) process.stdout.write(`${describeCheck(one).join('\n')}\n`);
  }
  if (!isGood) process.exitCode = exitCode.differs;
}

/** The profile that the options name, or else those under `lock:`. */
async function loadLockedPlans(options: PipelineOptions): Promise<Plan[]> {
  const plan = await loadSelectedPlan(options);
  if (options.profile !== undefined || options.set.length > 0) return [plan];
  if (plan.lock.profiles.length === 0) {
    throw new ReproError(
      'no-lock',
      'pipeline.yaml lists no profile under `lock:`, so there are no records to check',
      {
        fix: 'List one, or name one whose records you wrote with `repro lock`: npx repro check --profile NAME',
      },
    );
  }
  return Promise.all(plan.lock.profiles.map((profile) => loadSelectedPlan({ ...options, profile })));
}

function isConfirmed({ checks, orphans }: RecordChecks): boolean {
  return orphans.length === 0 && checks.every(({ state }) => state === 'ok');
}

const words = { ok: 'ok', differs: 'differs', unconfirmed: 'unconfirmed', missing: 'no record' } as const;

/** The commands that make the records again: only runs of profiles under `lock:` write them by themselves. */
function describeRemedy({ profile, lock }: Plan, options: PipelineOptions): string {
  const words = quoteWords(pipelineArguments({ ...options, profile }));
  const run = `npx repro run ${words}`;
  return lock.profiles.includes(profile) && !lock.isOverridden ? run : `${run} && npx repro lock ${words}`;
}

function describeCheck({ check: { profile, checks, orphans }, remedy }: Checked): string[] {
  const c = colorsFor(process.stdout);
  const paint = { ok: c.green, differs: c.red, unconfirmed: c.yellow, missing: c.red };
  const width = Math.max(0, ...checks.map(({ id }) => id.length));
  const wordWidth = Math.max(...Object.values(words).map(({ length }) => length));
  const lines = checks.map(({ id, state, reasons }) => {
    const text = toOneLine(reasons.map((reason) => reason.text).join('; '));
    return `${id.padEnd(width)}  ${paint[state](words[state].padEnd(wordWidth))}  ${text}`.trimEnd();
  });
  for (const file of orphans) lines.push(c.red(`${file} belongs to no stage of this profile: delete it`));
  const bad = checks.filter(({ state }) => state !== 'ok').length;
  const count = checks.length + orphans.length;
  const wrong = bad + orphans.length;
  const belong = 'to this code and configuration';
  const sentence =
    wrong === 0
      ? c.green(
          `profile ${profile}: ${count === 1 ? 'its record belongs' : `all ${count} records belong`} ${belong}`,
        )
      : c.red(
          `profile ${profile}: ${count === 1 ? 'its record' : `${wrong} of ${count} records`} ${wrong === 1 ? 'does' : 'do'} not belong ${belong}`,
        );
  return [...lines, sentence, ...(bad === 0 ? [] : [`  make ${bad === 1 ? 'it' : 'them'} again: ${remedy}`])];
}
