import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { countCores } from '../../base/cores.ts';
import { ReproError } from '../../base/errors.ts';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { FetchStage } from '../../runner/run/execution-context.ts';
import { type PlanRunOptions, runPlan } from '../../runner/run/run.ts';
import type { RunOptions } from '../options/options.ts';
import { exitCode, exitCodeOfSignal, listenForSignals, type SignalListener } from '../process/ending.ts';
import { describeSlowEngine, factsOf, refuseMissingEngines, usesGpu } from '../project/facts.ts';
import { type PipelineOptions, pipelineArguments } from '../project/load-plan.ts';
import { stageNames } from '../project/stages.ts';
import { summariseRun } from '../view/event-text.ts';
import { showEvents } from '../view/open-view.ts';
import { colorsFor, printJson } from '../view/print.ts';
import { idsIn, type RunState } from '../view/run-state.ts';
import { followEvidence } from './evidence.ts';
import type { ClusterUse } from './on-cluster.ts';
import { tabulateResults } from './results-table.ts';

/** What is to run, and how: all that the options say. */
interface RunRequest {
  readonly plan: Plan;
  readonly selected: ReadonlySet<string>;
  /** Ids of those that run even if nothing has changed. */
  readonly forced: ReadonlySet<string>;
  readonly how: Pick<PlanRunOptions, 'dryRun' | 'jobs' | 'failFast' | 'gpus'>;
  readonly openFetch: ((onEvent: (event: RunEvent) => void) => FetchStage) | null;
  readonly cluster: ClusterUse | null;
  /** The words of a command that runs a stage of it again. */
  readonly words: readonly string[];
  readonly json: boolean;
}

/** `repro run`: progress on stderr; with `--json`, the outcome on stdout. */
export async function run(plan: Plan, targets: readonly string[], options: RunOptions): Promise<void> {
  if (targets.length > 0 && (options.from !== undefined || options.until !== undefined)) {
    throw new ReproError('usage', 'stages cannot be combined with --from or --until', {
      fix: 'Name stages, or a range of the graph with --from and --until, but not both.',
    });
  }
  const { selected, named } = selectInstances(plan, { targets, from: options.from, until: options.until });
  const what = { selected, forced: options.force === true ? named : new Set<string>() };
  if (options.executor !== 'slurm' && options.detach === true) {
    throw new ReproError('usage', '--detach only applies to --executor slurm', {
      fix: 'Add --executor slurm.',
    });
  }
  const cluster =
    options.executor === 'slurm'
      ? await (await import('./on-cluster.ts')).useSlurm(plan, { begins: { ...what, options } })
      : null;
  const request = await resolveRun(plan, options, what, cluster);
  if (cluster !== null && options.detach === true && options.dryRun !== true) {
    await cluster.detach({ ...what, options });
  } else await runToEnd(request);
}

/** Reads the options of a run, once. @throws {ReproError} `usage`, `remote-address`, `key-file` */
export async function resolveRun(
  plan: Plan,
  options: RunOptions,
  what: Pick<RunRequest, 'selected' | 'forced'>,
  cluster: ClusterUse | null,
): Promise<RunRequest> {
  const { dryRun = false, jobs = countCores(), failFast = false, gpus } = options;
  return {
    ...{ plan, ...what, cluster },
    how: { dryRun, jobs, failFast, gpus },
    openFetch: await readFetchOptions(plan, options),
    // A stage must run again where it ran before: login nodes are not for trainings.
    words: [...pipelineArguments(options), ...(cluster === null ? [] : ['--executor', 'slurm'])],
    json: options.json === true,
  };
}

async function readFetchOptions(
  plan: Plan,
  { pull, remote, dryRun }: RunOptions,
): Promise<RunRequest['openFetch']> {
  if (pull === true && dryRun === true) {
    throw new ReproError('usage', '--pull cannot be combined with --dry-run, which fetches nothing', {
      fix: 'Leave out --pull to see what would run without the remote cache. `./repro cache pull` fetches, and runs nothing.',
    });
  }
  if (pull !== true) {
    if (remote === undefined) return null;
    throw new ReproError('usage', '--remote only applies to --pull', { fix: 'Add --pull.' });
  }
  const { openConfiguredRemote, remoteSettingsOf } = await import('../options/remote.ts');
  // A missing remote or an impossible address is an error; an unreachable remote is not.
  const { readAddress } = await import('../../runner/share/open-remote.ts');
  readAddress(remoteSettingsOf(plan, remote).address, plan.projectRoot);
  const { createFetchStage } = await import('../../runner/share/pull.ts');
  const open = () => openConfiguredRemote(plan, remote);
  return (onEvent) => createFetchStage(open, onEvent);
}

/**
 * Runs with a view and a summary on stderr, then prints its document or scripts to stdout, tells about jobs that continue, and sets the exit
 * code.
 *
 * @param record is told each event, too
 */
export async function runToEnd(request: RunRequest, record?: (event: RunEvent) => void): Promise<void> {
  const { plan, cluster, how } = request;
  const signals = listenForSignals();
  try {
    const state = await runShown(request, signals, record);
    const scripts = how.dryRun === true ? cluster?.scriptsFor(idsIn(state, 'would-run')) : undefined;
    if (request.json) printJson({ ...outcomeDocument(plan, state), ...(scripts && { scripts }) });
    else for (const { script } of scripts ?? []) process.stdout.write(`${script}\n`);
    process.exitCode = exitCodeOfRun(state, signals.received());
    if (cluster === null || how.dryRun === true) return;
    if (signals.received() === null) await cluster.finish();
    else cluster.tellOfJobs();
  } finally {
    signals.dispose();
  }
}

async function runShown(
  { plan, selected, forced, how, openFetch, cluster, words }: RunRequest,
  { stop, kill }: Pick<SignalListener, 'stop' | 'kill'>,
  record?: (event: RunEvent) => void,
): Promise<RunState> {
  const wanted = [...plan.instances.values()].filter(({ id }) => selected.has(id));
  // What this machine found does not hold for a cluster's nodes. What others publish comes from a CPU, unless results here say otherwise.
  const tries = how.dryRun === true ? 'recalled' : stop;
  const subject = cluster === null ? plan : { projectRoot: plan.projectRoot };
  const facts = factsOf(subject, openFetch === null ? tries : 'none');
  if (cluster === null) await refuseMissingEngines(plan, facts, wanted);
  const training = wanted.find(({ stage }) => stage === stageNames.train);
  // Asked before the run holds the lock. All networks on a GPU share its memory.
  const isOnGpu = cluster === null && (await usesGpu(facts, training));
  const { state, take, close } = await showEvents();
  const evidence = followEvidence(plan, state, take);
  let warned: Promise<void> | null = null;
  const onEvent = (said: RunEvent): void => {
    const event = cluster?.adaptEvent(said) ?? said;
    record?.(event);
    take(event);
    evidence.follow(event);
    // The engines of a cluster's nodes are not known here.
    if (cluster !== null || event.kind !== 'started') return;
    const instance = plan.instances.get(event.id);
    // This is only advice: the stage itself reports an engine that fails.
    if (instance?.stage === stageNames.train) warned ??= warnOfEngine(instance).catch(() => {});
  };
  const warnOfEngine = async (instance: StageInstance): Promise<void> => {
    const text = await describeSlowEngine(facts, instance);
    if (text !== null) take({ kind: 'note', id: instance.id, level: 'warning', text });
  };
  try {
    await (cluster?.run ?? runPlan)({
      ...{ plan, selected, ...how, facts, signal: stop, killSignal: kill, onEvent },
      ...(isOnGpu && how.gpus === undefined ? { jobs: 1 } : {}),
      force: forced,
      fetchStage: openFetch?.(onEvent),
      otherMachines: cluster?.otherMachines,
      adaptSession: cluster?.adaptSession,
    });
    await Promise.all([warned, evidence.settled()]);
  } finally {
    close();
  }
  const isReal = how.dryRun !== true;
  const summary = summariseRun(state, {
    colors: colorsFor(process.stderr),
    runArguments: words,
    folder: process.cwd(),
    results: isReal ? describeResults(plan, wanted) : [],
  });
  process.stderr.write(
    `${[...(isReal ? tabulateResults(plan, state.instances) : []), ...summary].join('\n')}\n`,
  );
  return state;
}

/**
 * Does what `repro run frames` does. If nothing is to be done, it needs no lock, so a training may run meanwhile. Sets the exit code if it
 * fails.
 *
 * @returns whether it succeeded
 */
export async function bringFramesUpToDate(
  plan: Plan,
  pipeline: PipelineOptions,
  signals: SignalListener,
): Promise<boolean> {
  const { selected } = selectInstances(plan, { targets: [stageNames.frames] });
  const { readStatus } = await import('../../runner/run/status.ts');
  const found = await readStatus(plan, { facts: factsOf(plan), selected });
  if (found.every(({ state }) => state === 'fresh')) return true;
  const state = await runShown(
    await resolveRun(plan, pipeline, { selected, forced: new Set() }, null),
    signals,
  );
  if (state.outcome !== 'ok') process.exitCode = exitCodeOfRun(state, signals.received());
  return state.outcome === 'ok';
}

/** What to open after a run: for each final stage, its pages, that to read first before the others, or its output folder. */
function describeResults(plan: Plan, wanted: readonly StageInstance[]): string[] {
  const read = new Set([...plan.dependencies.values()].flat());
  return wanted
    .filter(({ id }) => !read.has(id))
    .flatMap(({ id, outputs }) =>
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
    instances: [...state.instances.values()].map((one) => {
      const { id, state, seconds, reasons, restored, removed, metrics, failure, blockedBy } = one;
      return { id, state, seconds, reasons, restored, removed, metrics, failure, blockedBy };
    }),
  };
}

function exitCodeOfRun(state: RunState, received: NodeJS.Signals | null): number {
  if (state.outcome === 'ok') return exitCode.ok;
  // null: `attach` stopped showing a run that continues.
  if (state.outcome === 'interrupted' || state.outcome === null) return exitCodeOfSignal(received);
  return exitCode.stageFailed;
}
