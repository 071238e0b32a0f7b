import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { QUICK, writeMadeUpResults } from '../../test/report/made-up-results.ts';
import { help, parseOptions } from './options.ts';
import type { StageAnswer, StageTask } from './stage-child.ts';

interface BenchPlaces {
  readonly args: readonly string[];
  readonly folder: string;
  readonly project: string;
  readonly stageChild: string;
}

/** As in profile full. */
const CLIPS = { train: 900, validation: 156, test: 288 };

export async function main({ args, folder, project, stageChild }: BenchPlaces): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) {
    console.log(help);
    return;
  }
  const { epochs, repeats } = options;
  const seeds = Array.from({ length: options.seeds }, (_, index) => 2020 + index);
  await writeMadeUpResults(folder, { ...QUICK, seeds, epochs, clips: CLIPS, ceiling: 0.95, layers: 7 });
  const output = path.join(folder, 'report');
  const inputs = await namedInputs(project, folder);
  const task: StageTask = { inputs, output, models: QUICK.models, seeds };

  console.log(
    `Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores; load average ${loadavg()[0]!.toFixed(2)}`,
  );
  console.log(`simulated: ${QUICK.models.length} models x ${seeds.length} seeds x ${epochs} epochs`);
  const times: number[] = [];
  const processor: number[] = [];
  const peaks: number[] = [];
  for (let round = 0; round < repeats; round++) {
    await rm(output, { recursive: true, force: true });
    const started = performance.now();
    const { peakBytes, processorSeconds } = runStage(stageChild, task);
    times.push((performance.now() - started) / 1000);
    processor.push(processorSeconds);
    peaks.push(peakBytes);
  }
  console.log(
    `stage report  ${median(times).toFixed(2)} s (${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)}, ${repeats} runs), ${median(processor).toFixed(2)} s of processor time, peak memory ${megabytes(Math.max(...peaks), 0)}`,
  );
  const page = await readFile(path.join(output, 'index.html'));
  console.log(
    `index.html    ${megabytes(page.length)}, ${megabytes(gzipSync(page).length)} with gzip; all files ${megabytes(await sizeOf(output))}`,
  );
  if (options.keep !== undefined) {
    await mkdir(options.keep);
    await cp(output, options.keep, { recursive: true });
  }
}

/** In a path of an input: one input for each model. */
const eachModel = /\$\{models\}/;

/** The inputs that pipeline.yaml names for the stage: committed configuration from the project, everything else simulated. */
async function namedInputs(project: string, folder: string): Promise<StageTask['inputs']> {
  const pipeline: { readonly stages: { readonly report: { readonly inputs: Record<string, unknown> } } } =
    parse(await readFile(path.join(project, 'pipeline.yaml'), 'utf8'));
  const place = (input: string) => path.join(/^(configs\/claims|dist)/.test(input) ? project : folder, input);
  return Object.fromEntries(
    Object.entries(pipeline.stages.report.inputs).flatMap(([name, input]) => {
      if (typeof input !== 'string') return [];
      if (name === 'dataset') return [[name, path.join(project, 'configs/datasets/dvs128-gesture.yaml')]];
      const paths = QUICK.models.map((id) => place(input.replace(eachModel, id)));
      return [[name, eachModel.test(input) ? paths : place(input)]];
    }),
  );
}

function runStage(script: string, task: StageTask): StageAnswer {
  const output = execFileSync(process.execPath, [script, JSON.stringify(task)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as StageAnswer;
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map((one) => path.join(one.parentPath, one.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function megabytes(bytes: number, digits = 2): string {
  return `${(bytes / 1e6).toFixed(digits)} MB`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
