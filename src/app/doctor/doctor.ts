import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { countCores } from '../../base/cores.ts';
import { ReproError } from '../../base/errors.ts';
import { getAt } from '../../base/schema/json.ts';
import { formatBytes, formatCount } from '../../base/text.ts';
import { WASM_SLOWDOWN } from '../../network/engines/engine.ts';
import { loadAddon } from '../../network/engines/native/addon.ts';
import { createNativeEngine } from '../../network/engines/native/engine.ts';
import { type EngineFinding, probeEngines } from '../../network/engines/selection/engines.ts';
import { countParameters } from '../../network/spec.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { measureMachine } from '../../runner/run/machine.ts';
import { shareCores } from '../../runner/run/scheduler.ts';
import {
  type ClipPasses,
  countPasses,
  measureSpeed,
  type RecordingCounts,
  type Speed,
} from '../../training/speed.ts';
import { factsOfPlan } from '../project/dataset-files.ts';
import { listGpusApart, probeCudaApart } from '../project/gpu-probes.ts';
import { findProjectRoot, loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { buildModel, listTrainings } from '../project/model-check.ts';
import { listModules, trainModule } from '../project/stages.ts';
import { formatAbout } from '../view/format.ts';
import { colorsFor, printJson } from '../view/print.ts';
import { StatusLine } from '../view/status-line.ts';

/**
 * `repro doctor`: lists what this machine has, what it lacks and how to get that; then measures for a few seconds to estimate how long
 * the full reproduction takes. With `--plan`: how much memory a model needs.
 */
export async function doctor(options: PipelineOptions & { readonly plan?: string }): Promise<void> {
  if (options.plan !== undefined) return (await import('./memory-plan.ts')).printPlan(options.plan, options);
  if (options.profile !== undefined || options.set.length > 0) {
    throw new ReproError('usage', '--profile and --set only apply to --plan', {
      fix: 'Name a model: `./repro doctor --plan baseline --profile full`.',
    });
  }
  const root = findProjectRoot(options.project ?? process.cwd());
  const { findings, engines } = await examineMachine(root);
  if (options.json !== true) printFindings(findings);
  const estimate = await estimateFullRun(root, engines);
  if (options.json === true) {
    printJson({ version: 1, command: 'doctor', findings, fullRun: estimate ?? null });
  } else if (estimate !== undefined) printFindings([describeFullRun(estimate)], findings);
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
  const { seconds, trainings, atOnce, threads, clips, secondsPerClip } = estimate;
  const millions = (count: number): string => `${(count / 1e6).toFixed(1)} million`;
  return {
    ...{ what, state: 'ok' },
    text: `about ${formatAbout(seconds)} of training, ${atOnce} at a time with ${formatCount(threads, 'thread')} each, and the time to read the recordings`,
    fix:
      `Measured on synthetic frames just now: a core takes ${secondsPerClip.training.toFixed(3)} s to train on a clip, ` +
      `${secondsPerClip.evaluation.toFixed(3)} s to evaluate one. In all, ${trainings} trainings train on ` +
      `${millions(clips.trained)} clips and evaluate ${millions(clips.evaluated)}.`,
  };
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
    {
      ...ok,
      what: 'Node.js',
      text: `${process.versions.node}, ${process.platform}-${process.arch}`,
    },
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

/** The whole command then takes about three seconds, if the machine is idle. */
const budgetSeconds = 2;

/** How many networks are measured at a time: Node computes no more beside its event loop. */
const mostMeasured = 4;

/** How long the trainings of profile full would take here, or why that is not known. */
type FullRunEstimate =
  | {
      readonly ok: true;
      readonly profile: string;
      readonly seconds: number;
      readonly trainings: number;
      /** How many of them `repro run` trains at the same time, and with how many threads each. */
      readonly atOnce: number;
      readonly threads: number;
      readonly clips: ClipPasses;
      /** Of one core. */
      readonly secondsPerClip: Speed;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * Measures the native engine for a moment and extrapolates. It measures processor time, which other programs change little, with as many
 * trainings at a time as a run has, and a thread on each core, as cores may share caches and units. Threads of a training that wait for each
 * other spin, which counts, before they sleep, which does not.
 *
 * @param engines those of this machine, best last
 * @returns undefined if a full run would use a GPU, which is not measured, or the project has no such profile
 */
async function estimateFullRun(
  root: string,
  engines: readonly EngineFinding[],
): Promise<FullRunEstimate | undefined> {
  if (!existsSync(path.join(root, 'configs/profiles/full.yaml'))) return undefined;
  const best = engines.findLast((one) => one.available && one.isOnlyByName !== true)?.name;
  if (best === 'wasm, CPU') {
    const reason = `Without the native engine, each training uses one core, and takes up to ${WASM_SLOWDOWN.most} times as long on it.`;
    return { ok: false, reason };
  }
  const loaded = loadAddon();
  if (!loaded.ok || best?.startsWith('native') !== true) return undefined;
  try {
    const plan = await loadSelectedPlan({ project: root, profile: 'full', set: [] });
    const recordings = await recordingsOf(plan);
    const steps = getAt(plan.settings, ['frames', 'steps']);
    if (recordings === undefined || typeof steps !== 'number') return undefined;
    const models = await Promise.all(
      listTrainings(plan).map(([file, { train }]) => buildModel(plan, file, train ?? {})),
    );
    // One measurement serves all models: that of the largest.
    const [spec] = models
      .flatMap((one) => one.spec ?? [])
      .sort((a, b) => countParameters(b) - countParameters(a));
    if (spec === undefined) return undefined;
    const machine = measureMachine([], {});
    const [training] = listModules(plan, trainModule);
    const most = Math.min(models.length, machine.cpu); // as --jobs has by default
    const { atOnce, cpus } = shareCores(machine, training?.resources ?? { memoryBytes: 0 }, most);
    const measured = Math.min(atOnce, mostMeasured);
    const engine = createNativeEngine(loaded.addon, { threads: Math.floor(machine.cpu / measured) });
    const coreMs = (): number => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
    const line = new StatusLine();
    line.show('Measuring a few training steps …');
    const budget = { budgetSeconds: budgetSeconds * machine.cpu, now: coreMs };
    const secondsPerClip = await measureSpeed(engine, spec, { steps, atOnce: measured, ...budget }).finally(
      () => line.clear(),
    );
    const passes = models.map(({ model }) => countPasses(model, recordings));
    const clips = {
      trained: passes.reduce((sum, { trained }) => sum + trained, 0),
      evaluated: passes.reduce((sum, { evaluated }) => sum + evaluated, 0),
    };
    return {
      ok: true,
      profile: 'full',
      seconds:
        (clips.trained * secondsPerClip.training + clips.evaluated * secondsPerClip.evaluation) /
        (atOnce * cpus),
      trainings: models.length,
      atOnce,
      threads: cpus,
      clips,
      secondsPerClip,
    };
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    const where = error.where === undefined ? '' : `${error.where}: `;
    return { ok: false, reason: `${where}${error.message}` };
  }
}

/** Undefined for a data set whose clips are not known beforehand. */
async function recordingsOf(plan: Plan): Promise<RecordingCounts | undefined> {
  const facts = await factsOfPlan(plan);
  if (facts?.layout !== 'dvs128-gesture' || getAt(plan.settings, ['dataset', 'simulated']) === true)
    return undefined;
  const { clipsByClass, recordings } = facts;
  const count = (split: 'train' | 'test') => Object.keys(recordings[split]).length;
  return { train: count('train'), test: count('test'), clipsByClass };
}
