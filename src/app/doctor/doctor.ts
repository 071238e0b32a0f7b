import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { countCores } from '../../base/cores.ts';
import { ReproError } from '../../base/errors.ts';
import { getAt } from '../../base/schema/json.ts';
import { formatBytes, formatCount } from '../../base/text.ts';
import { parseRecordingName } from '../../data/dvs128-gesture/files.ts';
import { WASM_SLOWDOWN } from '../../network/engines/engine.ts';
import { loadAddon } from '../../network/engines/native/addon.ts';
import { createNativeEngine } from '../../network/engines/native/engine.ts';
import { type EngineFinding, probeEngines } from '../../network/engines/selection/engines.ts';
import { mayHaveGpu } from '../../network/engines/webgpu/adapters.ts';
import type { DatasetFacts } from '../../results/dataset-facts.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { chooseTestUsers, countFolds, type Folds } from '../../training/folds.ts';
import type { ResolvedModel } from '../../training/resolve-model.ts';
import { readSeed } from '../../training/schedule.ts';
import {
  type ClipPasses,
  countPasses,
  measureSpeed,
  type RecordingCounts,
  type Speed,
} from '../../training/speed.ts';
import { exitCode } from '../process/ending.ts';
import { findData } from '../project/dataset-files.ts';
import {
  decideEngine,
  formatMs,
  processorMs,
  readTrainings,
  tryEngines,
  tryingApart,
} from '../project/engine-trial.ts';
import { engineOf, factsOf } from '../project/facts.ts';
import { listGpusApart, probeCudaApart } from '../project/gpu-probes.ts';
import { findProjectRoot, loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { listModules, trainModule } from '../project/stages.ts';
import { formatAbout } from '../view/format.ts';
import { colorsFor, printJson } from '../view/print.ts';
import { StatusLine } from '../view/status-line.ts';
import { alignTable } from '../view/table.ts';

/**
 * `repro doctor`: lists what this machine has, what it lacks and how to get that; then measures for a few seconds to estimate how long
 * a profile takes, or the two for real recordings.
 */
export async function doctor(options: PipelineOptions): Promise<void> {
  const root = findProjectRoot(options.project ?? process.cwd());
  const { findings, engines } = await examineMachine(root);
  if (options.json !== true) printFindings(findings);
  const isChosen = options.profile !== undefined || options.set.length > 0;
  const selections = isChosen
    ? [options]
    : ['full', 'overnight']
        .filter((profile) => existsSync(path.join(root, `configs/profiles/${profile}.yaml`)))
        .map((profile) => ({ ...options, profile }));
  const runs: ExaminedRun[] = [];
  const data: MachineFinding[] = [];
  for (const one of selections) {
    const plan = await loadSelectedPlan(one);
    const found = await findData(plan);
    if (found !== null && data.every(({ text }) => text !== found.text))
      data.push({ what: 'data', state: found.isHere ? 'ok' : 'missing', text: found.text, fix: found.fix });
    runs.push(await examineRun(plan, engines));
  }
  // `repro doctor --profile NAME && …` guards a run.
  if (isChosen && data.some(({ state }) => state !== 'ok')) process.exitCode = exitCode.stageFailed;
  if (options.json === true)
    return printJson({ version: 1, command: 'doctor', findings: [...findings, ...data], runs });
  printFindings([...data, ...runs.map(describeRun)], findings);
  for (const line of runs.flatMap(tabulateTried)) process.stdout.write(`${line}\n`);
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

function describeRun(estimate: RunEstimate): MachineFinding {
  const what = `profile ${estimate.profile}`;
  if (!estimate.ok) {
    return { what, state: 'missing', text: 'its duration could not be estimated', fix: estimate.reason };
  }
  const { seconds, coreSeconds, trainings, atOnce, threads, clips, secondsPerClip } = estimate;
  const millions = (count: number): string => `${(count / 1e6).toFixed(1)} million`;
  return {
    ...{ what, state: 'ok' },
    text:
      `about ${formatAbout(seconds)} of training and evaluation on the CPU, ${atOnce} at a time with ${formatCount(threads, 'thread')} each, ` +
      `if nothing else runs, and the time to read the recordings; ${Number((coreSeconds / 3600).toPrecision(2))} core-hours`,
    fix:
      `Measured on synthetic frames just now: a core takes ${Number(secondsPerClip.training.toPrecision(2))} s to train on a clip, ` +
      `${Number(secondsPerClip.evaluation.toPrecision(2))} s to evaluate one. In all, ${trainings} trainings train on ` +
      `${millions(clips.trained)} clips, and ${millions(clips.evaluated)} are evaluated.`,
  };
}

/** The engines that were tried for a profile, with what they need for it. */
function tabulateTried({ profile, engines }: ExaminedRun): string[] {
  if (engines.length === 0) return [];
  const rows = engines.map(({ engine, isRight, speed, hours, isTaken, problem }) => {
    const right = isRight === null ? '?' : isRight ? 'yes' : 'no';
    const about = hours ? String(Number(hours.toPrecision(2))) : '';
    const notes = [...(isTaken ? ['`auto` takes it'] : []), ...(problem === null ? [] : [problem])];
    return [engine, right, formatMs(speed), about, notes.join('; ')];
  });
  const title = `Engines tried for profile ${profile}:`;
  return ['', title, ...alignTable([['engine', 'right?', 'ms a clip', 'hours', ''], ...rows])];
}

/** One thing that this machine has, or lacks. */
interface MachineFinding {
  readonly what: string;
  readonly state: 'ok' | 'missing' | 'problem';
  readonly text: string;
  /** How to get what is missing. */
  readonly fix: string | null;
}

/** The free space that a full run needs for frames, store and checkpoints. */
const fullRunBytes = 8e9;

/** What this machine has and what is missing, and its engines, best last. */
async function examineMachine(
  root: string,
): Promise<{ readonly findings: readonly MachineFinding[]; readonly engines: readonly EngineFinding[] }> {
  const listed = await listGpusApart();
  const engines = await probeEngines({ probe: probeCudaApart, listGpus: async () => listed });
  const ok = { state: 'ok', fix: null } as const;
  const { bavail, bsize } = await statfs(root);
  const isRoomy = bavail * bsize >= fullRunBytes;
  const { simpleGit } = await import('simple-git');
  const { installed, major, minor } = await simpleGit().version();
  const model = os.cpus()[0]?.model.trim() ?? 'unknown';
  const findings: MachineFinding[] = [
    { ...ok, what: 'Node.js', text: `${process.versions.node}, ${process.platform}-${process.arch}` },
    {
      ...ok,
      what: 'processor',
      text: `${countCores()} cores (${model}), ${formatBytes(os.totalmem())} of memory`,
    },
    {
      what: 'disk',
      state: isRoomy ? 'ok' : 'problem',
      text: `${formatBytes(bavail * bsize)} free here`,
      fix: isRoomy
        ? null
        : `A full run needs ${formatBytes(fullRunBytes)} besides the recordings; the quick one needs far less.`,
    },
    installed
      ? { ...ok, what: 'git', text: `${major}.${minor}` }
      : {
          what: 'git',
          state: 'missing',
          text: 'not found; records will not name the commit',
          fix: 'Install git with your system’s package manager.',
        },
    ...(listed.ok ? listed.adapters : []).map(
      ({ name, driver, isSoftware, limits }): MachineFinding => ({
        ...ok,
        what: isSoftware ? 'GPU in software' : 'GPU',
        text: `${name}, driver ${driver}; buffers to ${formatBytes(limits.maxBufferSize)}, at most ${formatBytes(limits.maxStorageBufferBindingSize)} bound at once; workgroups of ${limits.maxComputeInvocationsPerWorkgroup} with ${formatBytes(limits.maxComputeWorkgroupStorageSize)}`,
      }),
    ),
    ...engines.map(
      ({ name, available, text, fix }): MachineFinding => ({
        what: `engine ${name}`,
        state: !available ? 'missing' : fix === null ? 'ok' : 'problem',
        text,
        fix,
      }),
    ),
  ];
  return { findings, engines };
}

/** For each profile. The whole command then takes about four seconds, if the machine is idle. */
const budgetSeconds = 2;

/** How long the trainings and evaluations of a profile would take here, or why that is not known. */
type RunEstimate = { readonly profile: string } & (
  | {
      readonly ok: true;
      readonly seconds: number;
      /** The processor time of all cores. */
      readonly coreSeconds: number;
      readonly trainings: number;
      /** How many of them `repro run` trains at the same time, and with how many threads each. */
      readonly atOnce: number;
      readonly threads: number;
      readonly clips: ClipPasses;
      /** Of one core. */
      readonly secondsPerClip: Omit<Speed, 'gradient'>;
    }
  | { readonly ok: false; readonly reason: string }
);

type ExaminedRun = Awaited<ReturnType<typeof examineRun>>;

/** What a profile needs here, or what is wrong with it. */
async function examineRun(plan: Plan, findings: readonly EngineFinding[]) {
  const { profile } = plan;
  try {
    const estimate = await estimateRun(plan, findings);
    return { ...estimate, engines: await listTried(plan, estimate) };
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    const where = error.where === undefined ? '' : `${error.where}: `;
    return { profile, ok: false as const, reason: `${where}${error.message}`, engines: [] };
  }
}

/** The engines that were tried for a profile, now if nobody knows which one `auto` takes; none without a GPU, or if it names its engine. */
async function listTried(plan: Plan, estimate: RunEstimate) {
  if (engineOf(plan.settings) !== 'auto' || !mayHaveGpu()) return [];
  const facts = factsOf(plan);
  const { choice, tried } = await decideEngine(plan, facts, tryingApart());
  const { trained = NaN, evaluated = NaN } = estimate.ok ? estimate.clips : {};
  return (tried.length > 0 ? tried : await tryEngines(plan, facts)).map((one) => {
    const hours = one.speed && (trained * one.speed.training + evaluated * one.speed.evaluation) / 3600;
    return { ...one, hours, isTaken: one.choice === choice };
  });
}

/**
 * Measures the native engine for a moment and extrapolates. It measures processor time, which other programs change little, with as many
 * trainings at a time as a run has, and a thread on each core, as cores may share caches and units. Threads of a training that wait for each
 * other spin, which counts, before they sleep, which does not.
 *
 * @param engines those of this machine, best last
 */
async function estimateRun(plan: Plan, engines: readonly EngineFinding[]): Promise<RunEstimate> {
  const { profile, settings } = plan;
  const fail = (reason: string): RunEstimate => ({ profile, ok: false, reason });
  // GPUs are tried apart.
  const best = engines.findLast((one) => one.available && one.name.endsWith('CPU'))?.name;
  const choice = engineOf(settings);
  const name = choice === 'auto' ? best : choice;
  if (choice === 'auto' && name?.startsWith('wasm') === true) {
    const { most } = WASM_SLOWDOWN;
    return fail(
      `Without the native engine, each training uses one core, and takes up to ${most} times as long on it.`,
    );
  }
  const loaded = loadAddon();
  if (!loaded.ok || name?.startsWith('native') !== true)
    return fail('Only the native engine is measured, and another one would train.');
  const planned = await readTrainings(plan);
  const isWhole =
    getAt(settings, ['dataset', 'simulated']) !== true && getAt(settings, ['frames', 'limit']) === undefined;
  if (planned === undefined || !isWhole)
    return fail('Trainings on simulated data, or on a part of a data set, are not estimated.');
  const { facts, models, network, trainings, atOnce, cpus } = planned;
  const clips = countClips(plan, facts, models);
  const engine = createNativeEngine(loaded.addon, { threads: network.threads });
  const line = new StatusLine();
  line.show('Measuring a few training steps …');
  const { gradient: _, ...secondsPerClip } = await measureSpeed(engine, network.spec, {
    ...{ steps: network.steps, atOnce: network.atOnce, now: processorMs },
    budgetSeconds: budgetSeconds * countCores(),
  }).finally(() => line.clear());
  const coreSeconds = clips.trained * secondsPerClip.training + clips.evaluated * secondsPerClip.evaluation;
  const seconds = coreSeconds / (atOnce * cpus);
  const counts = { trainings, atOnce, threads: cpus, clips };
  return { profile, ok: true, seconds, coreSeconds, ...counts, secondsPerClip };
}

/** The passes of all trainings and evaluations of a plan, whose models and seeds are combined. */
function countClips(
  plan: Plan,
  facts: DatasetFacts,
  models: readonly { readonly model: ResolvedModel }[],
): ClipPasses {
  const { settings } = plan;
  // As the profile's schema accepts them.
  const folds = getAt(settings, ['dataset', 'folds']) as Folds | undefined;
  const [orders = 0, changes = 0] = ['orders', 'tau'].map((key) => {
    const listed = getAt(settings, ['evaluate', key]);
    return Array.isArray(listed) ? listed.length : 0;
  });
  const seeds = new Set(listModules(plan, trainModule).map(({ matrix }) => matrix.seed));
  const clips = { trained: 0, evaluated: 0 };
  for (const seed of seeds) {
    const recordings = countRecordings(facts, folds, seed);
    for (const { model } of models) {
      const { trained, evaluated } = countPasses(model, recordings, { orders, changes });
      clips.trained += trained;
      clips.evaluated += evaluated;
    }
  }
  return clips;
}

/**
 * The recordings that a training has and tests. Users are dealt by recordings as they are by clips, since all have the same number. Of other
 * data sets, a clip counts as a recording, and folds as equal: nobody knows the people before the files are here.
 */
function countRecordings(facts: DatasetFacts, folds: Folds | undefined, seed: unknown): RecordingCounts {
  if (facts.layout !== 'dvs128-gesture') {
    const { train, test } = facts.published;
    const tested = folds === undefined ? test : Math.round((train + test) / countFolds(folds));
    return { train: train + test - tested, test: tested, clipsByClass: [1] };
  }
  const { name: dataset, clipsByClass, recordings } = facts;
  const list = (split: 'train' | 'test') =>
    Object.keys(recordings[split]).map((name) => parseRecordingName(name)!);
  const splits = { train: list('train'), test: list('test') };
  if (folds === undefined) return { train: splits.train.length, test: splits.test.length, clipsByClass };
  const users = chooseTestUsers({ dataset, splits }, folds, readSeed(seed));
  const all = [...splits.train, ...splits.test];
  const test = all.filter(({ user }) => users.includes(user)).length;
  return { train: all.length - test, test, clipsByClass };
}
