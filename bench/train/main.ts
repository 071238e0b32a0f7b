import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { findPython } from '../python.ts';
import { measureCeilings } from './ceilings.ts';
import { type ContestantCommand, compete, type Result } from './contestant.ts';
import type { EngineTask } from './engine-child.ts';
import { help, type Mode, type Options, type Peer, parseOptions } from './options.ts';
import { calibrate, type PeerProgram, peerBytes, peerCommand } from './peers.ts';
import { compareFirstSteps, describeRound, perSample, type Role, type Round, summarise } from './report.ts';
import { type Workload, type WorkloadFiles, workloadFiles, writeWorkload } from './workload.ts';

interface BenchPlaces {
  readonly args: readonly string[];
  /** For files that are needed only now. */
  readonly folder: string;
  /** engine-child.ts, pytorch_peer.py and ceilings.cc. */
  readonly engineChild: string;
  readonly peer: string;
  readonly ceilings: string;
}

type Entry = ContestantCommand & { readonly role: Role; readonly samples: number };

export async function main({ args, folder, engineChild, peer: script, ceilings: source }: BenchPlaces) {
  const options = parseOptions(args);
  if (options === undefined) {
    console.log(help);
    return;
  }
  const { threads } = options;
  const program: PeerProgram = { python: findPython('torch', options.python), script };
  console.log(
    `Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores; contestants use ${threads} threads`,
  );
  console.log(`load average before: ${loadavg()[0]!.toFixed(2)}`);
  const ceilings = measureCeilings(source, folder, threads === 1 ? [1] : [1, threads]);

  const rounds: Round[] = [];
  for (const workload of listWorkloads(options)) {
    const files = workloadFiles(path.join(folder, 'workload'));
    await mkdir(path.dirname(files.frames), { recursive: true });
    await writeWorkload(workload, files);
    if (options.mode.includes('evaluate')) await calibrate(engineChild, workload, files, workload.batch);
    for (const mode of options.mode) {
      const { entries: peers, heats } = await choosePeers(options, program, workload, files, mode);
      const entries = [...peers, ...chooseEngines(options, engineChild, workload, files, mode)];
      let results = attribute(await compete(entries, options.repeats), entries);
      if (mode === 'train' && options.tfjs) {
        results = [...results, ...(await measureTfjs(engineChild, workload, files))];
      }
      const round: Round = { workload, mode, heats, results };
      rounds.push(round);
      console.log(describeRound(round));
      for (const problem of compareFirstSteps(round)) {
        console.log(`  DIFFERENT: ${problem}`);
        process.exitCode = 1;
      }
    }
  }
  console.log(
    `\nSeconds per sample, peak memory; speed and memory against the fastest PyTorch:\n\n${summarise(rounds)}`,
  );
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ options, ceilings, rounds }, null, 2)}\n`);
  }
}

function listWorkloads({ input, tau, batch, ...options }: Options): Workload[] {
  const { gain, steps, size, channels, layers, hidden, recurrent } = options;
  const network = { gain, steps, size, channels, layers, hidden, recurrent };
  return batch.flatMap((samples) =>
    input.flatMap((name) => tau.map((per) => ({ ...network, input: name, tau: per, batch: samples }))),
  );
}

/**
 * The fastest of the tuned peers, each of which makes one timed step by itself as they do not fit into memory together, and PyTorch as it comes if
 * it fits in beside that one.
 */
async function choosePeers(
  { peer, threads }: Options,
  program: PeerProgram,
  workload: Workload,
  files: WorkloadFiles,
  mode: Mode,
): Promise<{ readonly entries: Entry[]; readonly heats: Round['results'] }> {
  let free = 0.9 * freemem();
  /** Of half or a quarter of the batch if not all fits in, and then only times per sample compare. */
  const enter = (kind: Peer, least: number): Entry[] => {
    let { batch } = workload;
    const need = () => peerBytes(kind, { ...workload, batch }, mode);
    while (batch > least && need() > free) batch = Math.floor(batch / 2);
    if (need() > free) {
      console.log(
        `  ${kind} PyTorch with ${batch} samples is left out: it needs about ${(need() / 1e9).toFixed(0)} GB`,
      );
      return [];
    }
    const command = peerCommand(program, kind, { ...workload, batch }, files, { mode, threads });
    return [{ ...command, role: kind === 'plain' ? 'plain' : 'peer', samples: batch }];
  };
  const peers = peer.filter((kind) => kind !== 'plain').flatMap((kind) => enter(kind, 1));
  const heats: Round['results'][number][] = [];
  for (const entry of peers) heats.push(...attribute(await compete([entry], 1), [entry]));
  const [fastest] = heats.toSorted((one, other) => perSample(one) - perSample(other));
  free -= fastest?.peakBytes ?? 0;
  const least = fastest === undefined ? 1 : workload.batch;
  const plain = peer.filter((kind) => kind === 'plain').flatMap((kind) => enter(kind, least));
  return { entries: [...peers.filter(({ label }) => label === fastest?.label), ...plain], heats };
}

function chooseEngines(
  { engine, isa, threads }: Options,
  script: string,
  workload: Workload,
  files: WorkloadFiles,
  mode: Mode,
): Entry[] {
  if (engine === undefined) return [];
  const task = { engine, workload, files, mode, samples: workload.batch, warmup: 2 };
  const env: Record<string, string> = { REPRO_THREADS: String(threads) };
  if (isa !== undefined) env.REPRO_ISA = isa;
  return [engineEntry(isa === undefined ? engine : `${engine}, ${isa}`, 'engine', script, task, env)];
}

/** One step on one sample of the same frames, after an untimed one: they take minutes and vary little. */
async function measureTfjs(
  script: string,
  workload: Workload,
  files: WorkloadFiles,
): Promise<Round['results']> {
  const task = { engine: 'tfjs-cpu', workload, files, mode: 'train', samples: 1, warmup: 1 } as const;
  const entries = [engineEntry('tfjs-cpu, one sample', 'tfjs', script, task, {})];
  return attribute(await compete(entries, 1), entries);
}

function attribute(results: readonly Result[], entries: readonly Entry[]): Round['results'] {
  return results.map((result) => {
    const { role, samples } = entries.find(({ label }) => label === result.label)!;
    return { ...result, role, samples };
  });
}

function engineEntry(
  label: string,
  role: Role,
  script: string,
  task: EngineTask,
  env: Readonly<Record<string, string>>,
): Entry {
  return {
    label,
    command: process.execPath,
    args: [script, JSON.stringify(task)],
    env,
    role,
    samples: task.samples,
  };
}
