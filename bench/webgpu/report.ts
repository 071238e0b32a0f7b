import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { messageOf } from '../../src/base/errors.ts';
import { formatBytes } from '../../src/base/text.ts';
import type { Adapter } from '../../src/network/engines/webgpu/adapters.ts';
import { quickLlvmpipe } from '../../test/support/llvmpipe.ts';
import { ask, isDocument, runParity, shareOf } from '../ask.ts';
import { findPython } from '../python.ts';
import type { Result } from '../train/contestant.ts';
import type { EngineTask } from '../train/engine-child.ts';
import type { Mode } from '../train/options.ts';
import { calibrate, peerCommand } from '../train/peers.ts';
import { compareFirstSteps, perSample, type Round } from '../train/report.ts';
import { type Workload, workloadFiles, writeWorkload } from '../train/workload.ts';
import { costsOf, gpus, millisecondsAtPeak, planStep } from './costs.ts';
import { describeKernels, describeNext, digits, type Measured, rooflines, table } from './roofline.ts';

export interface Places {
  /** Of the project. */
  readonly root: string;
  /** For files that are needed only now. */
  readonly folder: string;
  /** engine-child.ts. */
  readonly engineChild: string;
}

interface Report extends Places {
  readonly file: string;
  readonly adapter: Adapter;
  /** With the largest batch. */
  readonly workload: Workload;
  readonly batches: readonly number[];
}

type Parts = Readonly<Record<string, () => Promise<string>>>;

/** Writes a file part by part, so that one which fails is named in its place, and whatever stops this later loses nothing before. */
export async function writeParts(file: string, head: string, parts: Parts): Promise<void> {
  await writeFile(file, head);
  for (const [title, write] of Object.entries(parts)) {
    console.log(`${title} …`);
    const text = await write().catch((error) => `**Not measured:** ${messageOf(error)}`);
    await appendFile(file, `\n## ${title}\n\n${text}\n`);
  }
}

/** Of one process: about what 32 clips take on two cores of a CPU. */
const seconds = 120;
const modes = ['train', 'evaluate'] as const;
type Timed = Round['results'][number];
type Time = (mode: Mode, batch: number) => Promise<Timed>;

/** Each measurement is a process of its own, which may hang or crash. */
export async function writeReport(report: Report): Promise<void> {
  const { file, adapter, engineChild, workload, folder } = report;
  const files = workloadFiles(path.join(folder, 'workload'));
  let measured: Measured | undefined;
  const timeEngine =
    (engine: string, warmup: number, repeats: number): Time =>
    async (mode, samples) => {
      const task: EngineTask = { engine, workload, files, mode, samples, warmup };
      const args = [engineChild, JSON.stringify(task)];
      return { ...(await runAlone(process.execPath, args, {}, repeats)), role: 'engine', samples };
    };
  const known = new Map<string, Promise<Timed>>();
  const timeGpu = timeEngine('webgpu', 2, 5);
  const webgpu: Time = (mode, batch) => {
    const timed = known.get(`${mode} ${batch}`) ?? timeGpu(mode, batch);
    known.set(`${mode} ${batch}`, timed);
    return timed;
  };
  const parts: Parts = {
    Machine: () => describeMachine(report),
    Parity: () => describeParity(report),
    Kernels: async () => {
      measured = await measureKernels(report);
      return describeKernels(measured);
    },
    Speed: async () => {
      await mkdir(path.dirname(files.frames));
      await writeWorkload(workload, files);
      await calibrate(engineChild, workload, files, Math.min(4, workload.batch));
      const { layers, channels, size, steps, tau } = workload;
      return `Network: ${layers} blocks of ${channels} channels on 2 x ${size} x ${size}, T = ${steps}, one τ per ${tau}; moving blobs. Milliseconds a clip are the median of
whole steps, as in a training; native runs on ${availableParallelism()} cores of this machine. Memory: what each reserves for network and batch; a driver
adds its own. If loss or spikes of their first steps differ, a line below the table says so.

${await timeTable(report, { webgpu, native: timeEngine('native', 1, 2) }, true)}

${list(estimates(report, measured))}`;
    },
    'PyTorch on this card': () => timePyTorch(report, webgpu),
    'What to do next': async () =>
      measured === undefined ? 'No kernel was measured.' : describeNext(measured),
  };
  await writeParts(file, heading(adapter), parts);
  console.log(`The report is ${file}.`);
}

/** A column for each contestant, of which the first is compared with the fastest of the others; and why something is missing. */
async function timeTable(
  { workload, batches }: Report,
  contestants: Readonly<Record<string, Time>>,
  mustAgree: boolean,
): Promise<string> {
  const rows = [['', 'batch', ...Object.keys(contestants), 'speed of webgpu']];
  const notes = new Set<string>();
  for (const mode of modes) {
    for (const batch of batches) {
      const timed: (Timed | undefined)[] = [];
      for (const [name, time] of Object.entries(contestants)) {
        console.log(`  ${name}, ${mode}, batch ${batch}`);
        try {
          timed.push(await time(mode, batch));
        } catch (error) {
          timed.push(undefined);
          notes.add(`${name}, ${mode}, batch ${batch} is left out: ${messageOf(error)}`);
        }
      }
      const results = timed.filter((one) => one !== undefined);
      const [own, ...others] = timed.map((one) => (one === undefined ? Number.NaN : perSample(one)));
      const speed = Math.min(...others.filter((other) => other > 0)) / (own ?? Number.NaN);
      rows.push([
        ...[mode, String(batch), ...timed.map(describeTimed)],
        Number.isFinite(speed) ? `${digits(speed)} x` : '–',
      ]);
      if (!mustAgree) continue;
      for (const { label } of results) notes.add(label.replace(/ on .*/, ''));
      const different = compareFirstSteps({ workload, mode, heats: [], results });
      for (const text of different) notes.add(`**Different:** ${text}`);
    }
  }
  return `${table(rows)}\n\n${list([...notes])}`;
}

function describeTimed(timed: Timed | undefined): string {
  if (timed === undefined) return '–';
  return `${digits(1e3 * perSample(timed))} ms`;
}

/** Steps as in `Contestant`, all of them asked for at once. */
async function runAlone(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  repeats: number,
): Promise<Result> {
  const isWhole = (answer: string) => answer.includes('peakBytes') && isDocument(answer);
  const output = await ask(command, args, { env, input: 'step\n'.repeat(repeats), seconds, isWhole });
  const [first, ...steps] = output.split('\n').map((line) => JSON.parse(line));
  const { name = '', ...summary } = steps.pop();
  return { ...summary, label: name, first, steps };
}

function heading({ name, isSoftware }: Adapter): string {
  const software = `
**This is a device in software.** It computes on the processor with a smaller network, unless one was named, and its times say nothing about GPUs.
`;
  return `# Engine webgpu on ${name}

Written on ${new Date().toISOString().slice(0, 10)} by \`npm run bench:webgpu -- --report FILE\`, to be sent back as it is.
${isSoftware ? software : ''}`;
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');
async function describeMachine({ root, adapter }: Report): Promise<string> {
  const orReason = (command: string, args: readonly string[]) =>
    ask(command, args, { seconds: 20 }).catch((error) => `unknown (${messageOf(error)})`);
  const { name, driver, identity, limits } = adapter;
  const fields = 'name,driver_version,memory.total,memory.used,clocks.max.sm,power.limit';
  return table([
    ['GPU', name],
    ['driver', driver],
    ['package', `webgpu ${identity.split(' ')[0]}`],
    ...Object.entries(limits).map(([limit, value]) => [limit, value.toLocaleString('en')]),
    ['nvidia-smi', await orReason('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv,noheader'])],
    ['CPU', `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${formatBytes(totalmem())}`],
    ['system', `${process.platform} ${process.arch}, ${release()}`],
    ['Node', process.versions.node],
    ['commit', await orReason('git', ['-C', root, 'describe', '--always', '--dirty', '--exclude=*'])],
  ]);
}

async function describeParity({ root, adapter }: Report): Promise<string> {
  const env = adapter.isSoftware ? quickLlvmpipe : {};
  const rows = [['vectors', 'cases', 'failed', 'comparisons', 'largest error / tolerance', 'in']];
  const failed: string[] = [];
  for (const folder of ['test/golden', 'test/golden/torch']) {
    const cases = await runParity(root, `${root}${folder}`, 'webgpu', { env, seconds: 300 });
    const wrong = cases.filter(({ passed }) => !passed).map(({ name }) => name);
    const shares = cases.flatMap(({ name, comparisons }) =>
      comparisons.map((one) => ({ share: shareOf(one), what: `${name}, ${one.what}` })),
    );
    const [largest] = shares.sort((one, other) => other.share - one.share);
    const counts = [cases.length, wrong.length, shares.length].map(String);
    rows.push([folder, ...counts, digits(largest?.share ?? Number.NaN), largest?.what ?? '']);
    failed.push(...wrong);
  }
  return `${table(rows)}\n\n${failed.length === 0 ? 'All pass.' : `**Failed:** ${failed.join(', ')}`}`;
}

async function measureKernels({ root, adapter, workload, batches }: Report): Promise<Measured> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const ofSample = planStep(workload).program.largestSpaces().ofSample.bytes;
  const most = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize, 2 ** 31) / ofSample);
  const batch = Math.min(16, most, Math.max(...batches));
  const options = { ...workload, batch, measure: adapter.name };
  const args = (['measure', 'batch', 'tau', 'size', 'channels', 'layers', 'steps'] as const).flatMap(
    (name) => [`--${name}`, String(options[name])],
  );
  const all = [`${root}bench/webgpu.mjs`, '--json', ...args];
  return JSON.parse(await ask(process.execPath, all, { seconds: 240, isWhole: isDocument }));
}

/** What the project expects: nothing that was not stated before (bench/README.md). */
function estimates({ adapter, workload }: Report, measured: Measured | undefined): string[] {
  const lines: string[] = [];
  if (measured !== undefined) {
    const [{ milliseconds: took, least }] = rooflines(measured);
    const of = (milliseconds: number) => digits(milliseconds / measured.samples);
    lines.push(
      `Training in batches of ${measured.samples}: kernels alone ${of(took)} ms a clip; at the ceilings measured above ${of(least)} ms; estimate, as a good plain product reaches about half of a peak: ${of(2 * least)} ms.`,
    );
  }
  const known = gpus.find(({ word }) => adapter.name.includes(word));
  if (known === undefined) return [...lines, 'bench/README.md has no estimate for this GPU.'];
  const costs = costsOf(planStep(workload).program, 16);
  const peak = costs.reduce((sum, cost) => sum + millisecondsAtPeak(cost, known), 0) / 16;
  return [
    ...lines,
    `bench/README.md on ${known.name}, training in batches of 16: ${digits(peak)} ms a clip at the peaks that its maker states, so ${digits(2 * peak)} ms at half of them.`,
  ];
}

/** What people change on a GPU. */
const variants = [
  { name: 'step by step', kind: 'plain', env: {} },
  { name: 'multi-step', kind: 'multi-step', env: {} },
  { name: 'multi-step without TF32', kind: 'multi-step', env: { NVIDIA_TF32_OVERRIDE: '0' } },
] as const;

async function timePyTorch(report: Report, webgpu: Time): Promise<string> {
  const { root, folder, workload } = report;
  const python = findPython('torch');
  const which = 'torch.cuda.is_available() and torch.cuda.get_device_name()';
  const code = `import torch; print(torch.__version__, ${which}, sep=", ")`;
  const found = await ask(python, ['-c', code], { seconds });
  if (found.endsWith('False'))
    throw new Error(`PyTorch ${found.split(',')[0]} of ${python} finds no GPU with CUDA.`);
  const files = workloadFiles(path.join(folder, 'workload'));
  const program = { python, script: `${root}bench/pytorch_peer.py` };
  const peers = variants.map(({ name, kind, env }): [string, Time] => [
    name,
    async (mode, samples) => {
      const how = { mode, threads: availableParallelism() };
      const { args } = peerCommand(program, kind, { ...workload, batch: samples }, files, how);
      const onCard = [...args, '--device', 'cuda', '--warmup', '2'];
      return { ...(await runAlone(python, onCard, env, 5)), role: 'peer', samples };
    },
  ]);
  return `PyTorch ${found}: the same network and frames, milliseconds a clip. By default, its convolutions use
TF32, which rounds to 10 bits of mantissa; without it, they are single precision as here.

${await timeTable(report, { webgpu, ...Object.fromEntries(peers) }, false)}`;
}
