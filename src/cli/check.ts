import process from 'node:process';
import { ReproError } from '../errors.ts';
import { checkRecords, type RecordChecks } from '../runner/lock-files/check.ts';
import type { Plan } from '../runner/plan.ts';
import { exitCode } from './exit-code.ts';
import { factsOf } from './facts.ts';
import { loadSelectedPlan, type PipelineOptions, printJson } from './load.ts';
import { colorsFor } from './view/colors.ts';
import { toOneLine } from './view/safe-text.ts';

interface CheckOptions extends PipelineOptions {
  /** False for `--no-data`. */
  readonly data: boolean;
  readonly json?: boolean;
}

interface ProfileCheck extends RecordChecks {
  readonly kind: 'records';
  readonly profile: string;
}

/** `repro check`: whether the committed records belong to what is here; one section for each profile. */
export async function check(options: CheckOptions): Promise<void> {
  const checks: ProfileCheck[] = [];
  for (const plan of await loadLockedPlans(options)) {
    const result = await checkRecords(plan, {
      withData: options.data,
      facts: factsOf(plan.projectRoot),
    });
    checks.push({ kind: 'records', profile: plan.profile, ...result });
  }
  const isGood = checks.every(isConfirmed);
  if (options.json === true) {
    printJson({ version: 1, command: 'check', ok: isGood, checks });
  } else {
    for (const one of checks) process.stdout.write(`${describeCheck(one).join('\n')}\n`);
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

function describeCheck({ profile, checks, orphans }: ProfileCheck): string[] {
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
  const sentence =
    bad + orphans.length === 0
      ? c.green(`profile ${profile}: all ${checks.length} records belong to this code and configuration`)
      : c.red(
          `profile ${profile}: ${bad + orphans.length} of ${checks.length + orphans.length} records do not`,
        );
  return [
    ...lines,
    sentence,
    ...(bad === 0 ? [] : [`  make them again: npx repro run --profile ${profile}`]),
  ];
}
