import process from 'node:process';
import { ask } from '../ask.ts';
import type { ContestantCommand } from './contestant.ts';
import type { EngineTask } from './engine-child.ts';
import { changes, type Mode, type Peer } from './options.ts';
import { hyperparameters, type Workload, type WorkloadFiles } from './workload.ts';

/** Where PyTorch is, and how it was started. */
export interface PeerProgram {
  readonly python: string;
  /** pytorch_peer.py. */
  readonly script: string;
}

/**
 * glibc returns large blocks to the system and fetches them anew at every operation, page fault by page fault. These settings keep
 * them, in huge pages, which makes PyTorch about twice as fast here.
 */
const tunedAllocator = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '100000000000',
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
} as const;

/** Writes `files.calibrated`, by this project's engine, as PyTorch may be missing. @param script engine-child.ts */
export async function calibrate(
  script: string,
  workload: Workload,
  files: WorkloadFiles,
  samples: number,
): Promise<void> {
  const task: EngineTask = { engine: '', workload, files, mode: 'calibrate', samples, warmup: 0 };
  await ask(process.execPath, [script, JSON.stringify(task)], { seconds: 600 });
}

export function peerCommand(
  { python, script }: PeerProgram,
  kind: Peer,
  workload: Workload,
  files: WorkloadFiles,
  { mode, threads }: { readonly mode: Mode; readonly threads: number },
): ContestantCommand {
  const training = mode === 'train';
  return {
    label: kind === 'plain' ? 'PyTorch as it comes' : `PyTorch, ${kind}`,
    command: python,
    args: [
      ...shared(script, workload, files),
      ...['--state', training ? files.state : files.calibrated, '--targets', files.targets],
      ...['--mode', mode, '--threads', String(threads), '--interactive'],
      ...['--learning-rate', String(hyperparameters.learningRate)],
      ...['--lambda', String(hyperparameters.regulariseTau)],
      ...changes.filter((change) => kind.split('+').includes(change)).map((change) => `--${change}`),
    ],
    env: kind === 'plain' ? {} : tunedAllocator,
  };
}

/**
 * About what a step needs, in bytes. Training the thesis' network took 1.65 GB a sample: at every time step, autograd keeps tensors worth nine to ten
 * times the first layer's output; layer by layer, an evaluation keeps the first layers of all steps.
 */
export function peerBytes(kind: Peer, { batch, steps, size, channels }: Workload, mode: Mode): number {
  const tensor = 4 * batch * channels * size ** 2;
  if (mode === 'train') return 4e8 + 10 * tensor * steps;
  return 4e8 + (kind.includes('multi-step') ? 5 * tensor * steps : 10 * tensor);
}

/** `-B`: no compiled file beside the script. */
function shared(script: string, workload: Workload, { frames }: WorkloadFiles): string[] {
  const { tau, batch, steps, size } = workload;
  const sizes = Object.entries({ batch, steps, size }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  return ['-B', script, '--input', frames, '--tau', tau, ...sizes];
}
