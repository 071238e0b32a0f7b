import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describeError, firstLineOf, ReproError } from '../../base/errors.ts';
import { hashJson } from '../../base/files/canonical-json.ts';
import { findHolder } from '../../base/files/lock.ts';
import { getAt } from '../../base/schema/json.ts';
import type { EngineChoice } from '../../network/engines/engine.ts';
import { chooseEngine, gpuOf } from '../../network/engines/selection/engines.ts';
import { remember } from '../../network/engines/selection/gpu-identity.ts';
import { countParameters, repeatedSteps } from '../../network/spec.ts';
import type { DatasetFacts } from '../../results/dataset-facts.ts';
import type { Facts } from '../../runner/freshness/fingerprint.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { withDependencies } from '../../runner/plan/selection.ts';
import { measureMachine } from '../../runner/run/machine.ts';
import { shareCores } from '../../runner/run/scheduler.ts';
import { readStatus } from '../../runner/run/status.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { digestFile } from '../../runner/store/digest.ts';
import { openRecords } from '../../runner/store/records.ts';
import type { Speed } from '../../training/speed.ts';
import { toOneLine } from '../view/print.ts';
import { factsOfPlan } from './dataset-files.ts';
import { askApart, probing } from './gpu-probes.ts';
import { buildModel, listTrainings } from './model-check.ts';
import { listModules, trainModule } from './stages.ts';

/** A network as a run would train it, and the folder with PyTorch's numbers for another. */
type TriedNetwork = NonNullable<Awaited<ReturnType<typeof readTrainings>>>['network'] & { golden: string };

/** What was found of an engine. */
export interface TriedEngine {
  /** What chooses it: `auto` for the engine of the CPU. */
  readonly choice: EngineChoice;
  /** As the fact `engine` names it, with device, driver and package. */
  readonly engine: string;
  /** Whether its numbers are right; null if it computed none, which may be different the next time. */
  readonly isRight: boolean | null;
  /** Null if that was not measured. */
  readonly speed: Speed | null;
  /** Why it cannot be taken; null if it can. */
  readonly problem: string | null;
}

type Answer = Pick<TriedEngine, 'isRight' | 'speed' | 'problem'>;
type TryOne = (choice: EngineChoice, network: TriedNetwork) => Promise<Answer>;

/** Trains a small network as PyTorch did, then measures steps of the network in question. */
export async function tryEngine(
  choice: EngineChoice,
  { golden, ...network }: TriedNetwork,
  open = chooseEngine,
): Promise<Answer> {
  // What only recalls an answer does not load them.
  const { openCaseFolder } = await import('../../exchange/parity/given-case.ts');
  const { runSuite } = await import('../../exchange/parity/suite.ts');
  const { measureSpeed } = await import('../../training/speed.ts');
  let isWrong = false;
  let isCompared = false;
  try {
    const engine = await open(choice, { threads: network.threads });
    // It has what the thesis' networks have: τ for each neuron, its regulariser, dropout.
    const cases = runSuite(await openCaseFolder(golden), engine, ['net_neuron_tau_reg']);
    for await (const { comparisons } of cases) {
      const wrong = comparisons.find(({ passed }) => !passed);
      // Without values, there was nothing to compare.
      isWrong = wrong !== undefined && wrong.values > 0;
      if (wrong !== undefined) throw new Error(wrong.reason ?? `${wrong.what} differ from PyTorch's`);
      isCompared = true;
    }
    if (!isCompared) throw new Error(`PyTorch's numbers are not in ${golden}`);
    const { threads, ...limits } = { ...network, budgetSeconds: 20 };
    // What else runs slows down the CPU, but not the GPU. A GPU needs some steps to reach its speed.
    const now = () => processorMs() / (network.atOnce * threads);
    const speed = await measureSpeed(engine, network.spec, {
      ...limits,
      ...(engine.description.backend === 'cpu'
        ? { now, mostRepeats: 3 }
        : { now: () => performance.now(), mostRepeats: 50, atOnce: 1 }),
    });
    return { isRight: true, speed, problem: null };
  } catch (error) {
    return { isRight: isWrong ? false : null, speed: null, problem: firstLineOf(describeError(error)) };
  }
}

/** What this process has computed on all cores. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Tries engines in a process of their own, until a signal: a driver may crash or hang, or take all memory. */
export function tryingApart(signal?: AbortSignal): TryOne {
  const fail = (problem: string): Answer => ({ isRight: null, speed: null, problem });
  return (choice, network) => {
    // A slow CPU takes minutes for a large batch, and does not hang.
    const limits = { signal, timeout: choice === 'auto' ? 600_000 : 120_000 };
    return askApart(probing('engine', choice, JSON.stringify(network)), 'isRight', fail, limits);
  };
}

/**
 * What a run trains: its models, the largest network, which stands for all, and at most how many clips.
 *
 * @returns undefined if a plan trains none, or if the size of the frames is unknown
 * @throws {ReproError} if a model is impossible
 */
export async function readTrainings(plan: Plan) {
  const facts = await factsOfPlan(plan);
  const [first, ...others] = listModules(plan, trainModule);
  if (facts === undefined || first === undefined) return undefined;
  const models = await Promise.all(
    [...new Map(listTrainings(plan))].map(([file, params]) => buildModel(plan, file, params, facts)),
  );
  const [largest] = models
    .flatMap(({ spec, model }) => (spec === undefined ? [] : { spec, samples: model.training.batchSize }))
    .sort((a, b) => countParameters(b.spec) - countParameters(a.spec));
  if (largest === undefined) return undefined;
  const trainings = 1 + others.length;
  const machine = measureMachine([], {});
  // As --jobs has by default.
  const { atOnce, cpus } = shareCores(machine, first.resources, Math.min(trainings, machine.cpu));
  const measured = Math.min(atOnce, 4); // Node computes no more beside its event loop.
  const network = {
    ...largest,
    steps: repeatedSteps(largest.spec) ?? Number(getAt(plan.settings, ['frames', 'steps']) ?? 1),
    // On the CPU; the threads are of each.
    ...{ atOnce: measured, threads: Math.floor(machine.cpu / measured) },
  };
  const mostEpochs = Math.max(...models.map(({ model }) => model.training.epochs));
  const mostClips = trainings * mostEpochs * countTrainingClips(plan, facts);
  return { facts, models, network, trainings, atOnce, cpus, mostClips };
}

/** The training clips of a data set or its simulation, with those that are held back for validation. */
function countTrainingClips({ settings: { simulate, frames = null } }: Plan, facts: DatasetFacts): number {
  const most = Number(getAt(frames, ['limit', 'train']) ?? Infinity) * facts.classes.length;
  if (simulate === undefined) return Math.min(facts.published.train, most);
  const ofRecording = 'clipsByClass' in facts ? facts.clipsByClass.reduce((sum, clips) => sum + clips) : 0;
  const recordings = Number(getAt(simulate, ['trainUsers'])) * [getAt(simulate, ['lights'])].flat().length;
  return Math.min(Number(getAt(simulate, ['trainClips']) ?? recordings * ofRecording), most);
}

/** The engines of this machine: that of the CPU, then those of GPUs. */
async function* listEngines(facts: Facts) {
  for (const choice of ['auto', 'webgpu', 'tfjs'] as const) {
    // As for an evaluation, for which `auto` is the engine of the CPU.
    const params = { evaluate: { engine: choice } };
    const engine = String(await facts.engine?.(params, (file) => digestFile(file, null)));
    if (choice === 'auto' || gpuOf(engine) !== undefined) yield { choice, engine };
  }
}

/**
 * Tries which engine trains the network of a plan fastest, or recalls what was found of just these engines on this processor.
 *
 * @param trials `recalled`: it only recalls
 * @returns first that of the CPU, alone if it was not measured, or if the trainings take it only minutes
 * @throws {ReproError} if a model is impossible
 */
export async function tryEngines(
  plan: Plan,
  facts: Facts,
  trials: TryOne | 'recalled' = 'recalled',
): Promise<readonly TriedEngine[]> {
  const planned = await readTrainings(plan);
  if (planned === undefined) return [];
  const { network, mostClips } = planned;
  const golden = path.join(plan.projectRoot, 'test', 'golden');
  const tell = (text: string) => void process.stderr.write(`${toOneLine(text)}\n`);
  const tried: TriedEngine[] = [];
  for await (const { choice, engine } of listEngines(facts)) {
    let answer: Answer | undefined;
    const kept = await rememberAnswer(plan, network, { choice, engine }, async () => {
      if (trials === 'recalled') return undefined;
      tell(`Trying ${engine} …`);
      answer = compareGradients(await trials(choice, { ...network, golden }), tried[0]);
      tell(answer.problem ?? `It is right, and takes ${formatMs(answer.speed)} ms to train on a clip.`);
      return answer.isRight === null ? undefined : answer;
    });
    answer ??= kept;
    if (answer !== undefined) tried.push({ choice, engine, ...answer });
    // To try a GPU takes about a minute.
    if (choice === 'auto' && (answer?.speed?.training ?? 0) * mostClips < 600) break;
  }
  return tried;
}

/** @param find what is kept if nothing was; undefined is not */
function rememberAnswer(
  plan: Plan,
  { atOnce, threads, ...network }: Omit<TriedNetwork, 'golden'>,
  { choice, engine }: Pick<TriedEngine, 'choice' | 'engine'>,
  find: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  // A GPU's answer holds beside any processor.
  const key = [network, engine, ...(choice === 'auto' ? [atOnce, threads, os.cpus()[0]?.model] : [])];
  const file = path.join(cacheFolderOf(plan).root, 'engines', `${hashJson(key).slice(0, 16)}.json`);
  return remember(file, key, find);
}

/** PyTorch's small cases do not reach the slices in which a GPU computes a large batch: there, the CPU says what is right. */
function compareGradients(answer: Answer, cpu: Answer | undefined): Answer {
  if (!answer.speed || !cpu?.speed) return answer;
  const [found, expected] = [answer.speed.gradient, cpu.speed.gradient];
  // A spike that rounding flips changes 0.3 % of it, a clip of eight that is missing 5 %.
  if (Math.abs(found - expected) <= 0.02 * expected) return answer;
  return { isRight: false, speed: null, problem: 'its gradients differ from those of the CPU' };
}

/**
 * What `auto` chooses for the trainings of a plan: the engine that has computed most of them, so that results stay valid; of GPUs, only one
 * that a trial has found right. If there are none, it is the fastest of those that were tried, and without a trial that of the CPU.
 *
 * @param trials how engines are tried, which is not done while a run holds the lock; `recalled`: what was found earlier counts; `none`: only results count
 * @throws {ReproError} if engines may be tried: `engine-gone`, if the one that has computed most is not here now
 */
export async function decideEngine(
  plan: Plan,
  facts: Facts,
  trials: TryOne | 'recalled' | 'none' = 'recalled',
): Promise<{ readonly choice: EngineChoice; readonly tried: readonly TriedEngine[] }> {
  const trainings = new Set(listModules(plan, trainModule).map(({ id }) => id));
  const recorded = openRecords(plan).listActions();
  const onGpu = recorded.flatMap(
    ({
      id,
      parts: {
        facts: { engine = '' },
      },
    }) => (trainings.has(id) && gpuOf(engine) !== undefined ? engine : []),
  );
  const planned = onGpu.length === 0 ? undefined : await readTrainings(plan);
  const count = async (choice: EngineChoice, engine: string): Promise<number> => {
    const recall = async () => undefined;
    const isRight =
      choice === 'auto' ||
      (planned && (await rememberAnswer(plan, planned.network, { choice, engine }, recall))?.isRight);
    return isRight === true ? countTrained(plan, engine, trainings) : 0;
  };
  let [taken, most]: [EngineChoice, number] = ['auto', 0];
  const gone = new Set(onGpu);
  for await (const { choice, engine } of listEngines(facts)) {
    gone.delete(engine);
    const trained = await count(choice, engine);
    if (trained > most) [taken, most] = [choice, trained];
    // No GPU has more, so no driver is asked.
    if (gone.size === 0 || trained === trainings.size) break;
  }
  for (const engine of typeof trials === 'function' && most < trainings.size ? gone : []) {
    if ((await count(gpuOf(engine) === 'cuda' ? 'tfjs' : 'webgpu', engine)) <= most) continue;
    throw new ReproError('engine-gone', `${engine} has trained for this profile, and is not here now.`, {
      fix: 'Repair its driver. Or name another engine, which trains again: `--set train.engine=native`.',
    });
  }
  if (most > 0 || trials === 'none') return { choice: taken, tried: [] };
  const isFree = findHolder(cacheFolderOf(plan).lock) === null;
  const tried = await tryEngines(plan, facts, isFree ? trials : 'recalled');
  const secondsOf = ({ speed }: TriedEngine): number => speed?.training ?? Infinity;
  const [fastest] = [...tried].sort((a, b) => secondsOf(a) - secondsOf(b) || 0);
  return { choice: fastest?.choice ?? 'auto', tried };
}

/** How many trainings of a plan an engine has computed or begun, on the frames that a run would make, or on those that are there. */
async function countTrained(plan: Plan, engine: string, trainings: ReadonlySet<string>): Promise<number> {
  const facts = { engine: async () => engine };
  const found = new Set<string>();
  for (const selected of [withDependencies(plan, [...trainings]), trainings])
    for (const { id, isPresent, reasons } of await readStatus(plan, { facts, selected }))
      if (isPresent || reasons.some(({ cue }) => cue === 'interrupted')) found.add(id);
  return [...trainings].filter((id) => found.has(id)).length;
}

export function formatMs(speed: Speed | null): string {
  return speed === null ? '' : String(Number((1000 * speed.training).toPrecision(3)));
}
