import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describeSlowEngine, factsOf, refuseMissingEngines } from '../../apps/facts.ts';
import { loadCheckedPlan, type PipelineOptions, pipelineArguments } from '../../apps/load-plan.ts';
import { stageNames } from '../../apps/stages.ts';
import { countCores } from '../../cores.ts';
import { ReproError } from '../../errors.ts';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import { type Selected, selectInstances } from '../../runner/plan/selection.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { FetchStage } from '../../runner/run/execution-context.ts';
import { runPlan } from '../../runner/run/run.ts';
import { type CacheFolder, cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { exitCode, exitCodeOfSignal, listenForSignals, type SignalListener } from '../process/ending.ts';
import { summariseRun } from '../view/event-text.ts';
import { showEvents } from '../view/open-view.ts';
import { colorsFor, printJson } from '../view/print.ts';
import { idsIn, type RunState } from '../view/run-state.ts';
import type { ClusterUse } from './on-cluster.ts';
import { tabulateResults } from './results-table.ts';
import type { RunOptions } from './run-options.ts';

/** `repro run`: progress on stderr; with `--json`, the outcome on stdout. */
export async function run(targets: readonly string[], options: RunOptions): Promise<void> {
  const plan = await loadCheckedPlan(options);
  if (targets.length > 0 && (options.from !== undefined || options.until !== undefined)) {
    throw new ReproError('usage', 'stages cannot be combined with --from or --until', {
      fix: 'Name stages, or a range of the graph with --from and --until, but not both.',
    });
  }
  const { selected, named } = selectInstances(plan, { targets, from: options.from, until: options.until });
  const forced = options.force === true ? named : new Set<string>();
  const cluster = await clusterOption(plan, options, { selected, forced });
  if (cluster !== undefined && options.detach === true && options.dryRun !== true) {
    return cluster.detach({ selected, forced });
  }
  const signals = listenForSignals();
  try {
    const { stop, kill } = signals;
    const shown = () => runShown(plan, options, { selected, named, stop, kill, cluster });
    const state = await (cluster === undefined ? shown() : explainOtherDriver(cacheFolderOf(plan), shown));
    await finishRun(plan, state, options, signals, cluster);
  } finally {
    signals.dispose();
  }
}

/** After a run: prints its document or scripts to stdout, tells about jobs that continue, and sets the exit code. */
export async function finishRun(
  plan: Plan,
  state: RunState,
  options: RunOptions,
  signals: SignalListener,
  cluster?: ClusterUse,
): Promise<void> {
  const scripts = options.dryRun === true ? cluster?.scriptsFor(idsIn(state, 'would-run')) : undefined;
  if (options.json === true) printJson({ ...outcomeDocument(plan, state), ...(scripts && { scripts }) });
  else for (const { script } of scripts ?? []) process.stdout.write(`${script}\n`);
  process.exitCode = exitCodeOfRun(state, signals.received());
  if (cluster === undefined || options.dryRun === true) return;
  if (signals.received() === null) await cluster.finish();
  else (await import('./on-cluster.ts')).tellOfJobs(plan);
}

async function clusterOption(
  plan: Plan,
  options: RunOptions,
  requested: { readonly selected: ReadonlySet<string>; readonly forced: ReadonlySet<string> },
): Promise<ClusterUse | undefined> {
  const { executor, detach } = options;
  if (executor !== 'slurm') {
    if (detach !== true) return undefined;
    throw new ReproError('usage', '--detach only applies to --executor slurm', {
      fix: 'Add --executor slurm.',
    });
  }
  const { useSlurm } = await import('./on-cluster.ts');
  return useSlurm(plan, options, { requested });
}

/** Of a run on a cluster that another keeps out: what can be done then. */
export async function explainOtherDriver<T>({ lock }: CacheFolder, drive: () => Promise<T>): Promise<T> {
  try {
    return await drive();
  } catch (error) {
    const isHeld = error instanceof ReproError && error.code === 'locked';
    if (!isHeld || path.dirname(error.where ?? '') !== lock) throw error;
    const { otherDriver } = await import('./on-cluster.ts');
    throw new ReproError('locked', error.message, { where: error.where, fix: otherDriver, cause: error });
  }
}

export type ShownRun = Selected & {
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  readonly cluster?: ClusterUse | undefined;
  /** Whether what is named runs even if nothing changed; default: as the options say. */
  readonly forcesNamed?: boolean;
  /** Is told each event, too. */
  readonly record?: (event: RunEvent) => void;
};

/** Runs a plan's stages with a view and a summary on stderr. */
export async function runShown(
  plan: Plan,
  options: RunOptions,
  { selected, named, stop, kill, cluster, forcesNamed = options.force === true, record }: ShownRun,
): Promise<RunState> {
  const facts = factsOf(plan.projectRoot);
  if (cluster === undefined) {
    await refuseMissingEngines(
      plan,
      facts,
      [...plan.instances.values()].filter(({ id }) => selected.has(id)),
    );
  }
  const { state, take, close } = await showEvents();
  const follow = cluster?.follow ?? null;
  const jobs = options.jobs ?? countCores();
  let warned: Promise<void> | null = null;
  const onEvent = (said: RunEvent): void => {
    const event = cluster?.adaptEvent(said) ?? said;
    record?.(event);
    take(event);
    // On a cluster, the engines of nodes are not known.
    if (cluster !== undefined) return;
    const instance = 'id' in event ? plan.instances.get(event.id) : undefined;
    const isToRun = event.kind === 'started' || event.kind === 'would-run';
    if (isToRun && instance?.facts.includes('engine') === true) {
      // This is only advice: the stage itself reports an engine that fails.
      warned ??= warnOfEngine(instance).catch(() => {});
    }
  };
  const warnOfEngine = async (instance: StageInstance): Promise<void> => {
    const text = await describeSlowEngine(facts, instance);
    if (text !== null) take({ kind: 'note', id: instance.id, level: 'warning', text });
  };
  try {
    await (follow ?? runPlan)({
      plan,
      selected,
      // Not their dependencies.
      force: forcesNamed ? named : false,
      dryRun: options.dryRun ?? false,
      jobs,
      failFast: options.failFast ?? false,
      ...(options.gpus === undefined ? {} : { gpus: options.gpus }),
      otherMachines: cluster?.otherMachines,
      adaptSession: cluster?.adaptSession,
      facts,
      ...(await fetchOption(plan, options, onEvent)),
      signal: stop,
      killSignal: kill,
      onEvent,
    });
    await warned;
  } finally {
    close();
  }
  const summary = summariseRun(state, {
    colors: colorsFor(process.stderr),
    // A stage must run again where it ran before: login nodes are not for trainings.
    runArguments: [...pipelineArguments(options), ...(cluster === undefined ? [] : ['--executor', 'slurm'])],
    folder: process.cwd(),
    results: options.dryRun === true ? [] : describeResults(plan, selected),
  });
  const results = options.dryRun === true ? [] : tabulateResults(plan, state);
  process.stderr.write(`${[...results, ...summary].join('\n')}\n`);
  return state;
}

/**
 * Does what `repro run frames` does, unless nothing is to be done: then it needs no lock, and a training may go on meanwhile. Sets the exit
 * code if it fails.
 *
 * @returns whether it succeeded
 */
export async function bringFramesUpToDate(
  plan: Plan,
  pipeline: PipelineOptions,
  { stop, kill, received }: SignalListener,
): Promise<boolean> {
  const frames = selectInstances(plan, { targets: [stageNames.frames] });
  const { readStatus } = await import('../../runner/run/status.ts');
  const found = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected: frames.selected });
  if (found.every(({ state }) => state === 'fresh')) return true;
  const state = await runShown(plan, { ...pipeline }, { ...frames, stop, kill });
  if (state.outcome !== 'ok') process.exitCode = exitCodeOfRun(state, received());
  return state.outcome === 'ok';
}

async function fetchOption(
  plan: Plan,
  { pull, remote, trust, dryRun }: RunOptions,
  onEvent: (event: RunEvent) => void,
): Promise<{ fetchStage?: FetchStage }> {
  if (pull === true && dryRun === true) {
    throw new ReproError('usage', '--pull cannot be combined with --dry-run, which fetches nothing', {
      fix: 'Leave out --pull to see what would run without the remote cache. `./repro cache pull` fetches, and runs nothing.',
    });
  }
  if (pull !== true) {
    const given = remote === undefined ? (trust === undefined ? null : '--trust') : '--remote';
    if (given === null) return {};
    throw new ReproError('usage', `${given} only applies to --pull`, { fix: 'Add --pull.' });
  }
  const { openConfiguredRemote, remoteSettingsOf } = await import('../options/remote.ts');
  // A missing remote or an impossible address is an error; an unreachable remote is not.
  const { readAddress } = await import('../../runner/share/open-remote.ts');
  readAddress(remoteSettingsOf(plan, remote).address, plan.projectRoot);
  const { createFetchStage } = await import('../../runner/share/fetch-instance.ts');
  const { readTrustedKeys } = await import('../../runner/share/signatures.ts');
  const keys = trust === undefined ? undefined : readTrustedKeys(trust);
  const open = (tell: (text: string) => void) =>
    openConfiguredRemote(plan, remote, { isNewAllowed: false, tell });
  return { fetchStage: createFetchStage(open, onEvent, keys) };
}

/** What to open after a run: for each final stage, its pages, that to read first before the others, or its output folder. */
function describeResults(plan: Plan, selected: ReadonlySet<string>): string[] {
  const read = new Set([...plan.dependencies.values()].flat());
  const last = [...plan.instances.values()].filter((one) => selected.has(one.id) && !read.has(one.id));
  return last.flatMap(({ id, outputs }) =>
    outputs.flatMap((output) => {
      const folder = path.join(plan.projectRoot, output);
      const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
      const pages = isFolder ? readdirSync(folder).filter((name) => name.endsWith('.html')) : [];
      const ordered = pages.sort((a, b) => Number(b === 'index.html') - Number(a === 'index.html'));
      return ordered.length === 0
        ? [`${id}: ${output}`]
        : ordered.map((name) => `${id}: ${path.posix.join(output, name)}`);
    }),
  );
}

function outcomeDocument(plan: Plan, state: RunState): object {
  return {
    version: 1,
    command: 'run',
    profile: plan.profile,
    outcome: state.outcome,
    seconds: state.seconds,
    instances: [...state.instances.values()].map((one) => ({
      id: one.id,
      state: one.state,
      seconds: one.seconds,
      reasons: one.reasons,
      restored: one.restored,
      removed: one.removed,
      metrics: one.metrics,
      failure: one.failure,
      blockedBy: one.blockedBy,
    })),
  };
}

function exitCodeOfRun(state: RunState, received: NodeJS.Signals | null): number {
  if (state.outcome === 'ok') return exitCode.ok;
  // null: `attach` stopped showing a run that goes on.
  if (state.outcome === 'interrupted' || state.outcome === null) return exitCodeOfSignal(received);
  return exitCode.stageFailed;
}
