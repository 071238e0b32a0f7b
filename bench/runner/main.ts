import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { type Command, commandOf, completeProject, findTools, jobs, measure } from './commands.ts';
import { writeData } from './data.ts';
import { type BenchGraph, fanGraph, layeredGraph } from './graph.ts';
import { help, type Options, parseOptions } from './options.ts';
import { type Tool, writeProject } from './projects.ts';
import { median, printTurns, ratioOf } from './tables.ts';

interface BenchPlaces {
  readonly args: readonly string[];
  readonly folder: string;
  /** This project, with a slash at the end. */
  readonly project: string;
  readonly fill: string;
}

const plainNode: Command = { argv: [process.execPath, '-e', '0'], environment: process.env };

/** What a run with nothing to do may cost, in units of `node -e 0`. */
const goals: Readonly<Record<string, number>> = { data: 3, many: 8 };

export async function main({ args, project, fill, ...places }: BenchPlaces): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) return console.log(help);
  const folder =
    options.folder === undefined ? places.folder : await mkdtemp(path.join(options.folder, 'bench-'));
  try {
    if (spawnSync(process.execPath, [`${project}scripts/build.mjs`]).status !== 0)
      throw new Error('cannot build');
    console.log(`Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`);
    // Node 20 reads them at each start, which takes twice as long as the rest: every ratio is smaller by that.
    const certificates = process.env.NODE_EXTRA_CA_CERTS;
    if (certificates) console.log(`node -e 0 includes reading NODE_EXTRA_CA_CERTS, ${certificates}`);
    console.log(
      `load average ${loadavg()[0]!.toFixed(2)}; ${jobs} stages at once, ${options.repeats} turns\n`,
    );
    const bench = new Bench(options, folder, project);
    if (options.dataBytes > 0) bench.measureData();
    if (options.stages > 0) bench.measureMany();
    if (options.hugeStages > 0) bench.measureHuge(fill);
  } finally {
    if (options.folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

class Bench {
  readonly #options: Options;
  readonly #folder: string;
  readonly #project: string;
  readonly #tools: readonly Tool[];

  constructor(options: Options, folder: string, project: string) {
    this.#options = options;
    this.#folder = folder;
    this.#project = project;
    this.#tools = findTools(options.tools, this.#peers);
  }

  get #peers(): string {
    return path.join(this.#folder, 'peers');
  }

  measureData(): void {
    const data = path.join(this.#folder, 'input');
    const files = writeData(data, this.#options.dataBytes);
    const graph = fanGraph('data', 12);
    const megabytes = Math.round(this.#options.dataBytes / 1e6);
    console.log(`${graph.stages.length} stages, an input of ${files} files and ${megabytes} MB`);
    this.#compare(graph, data);
    this.#measureFirstHash(graph);
  }

  measureMany(): void {
    const graph = layeredGraph('many', this.#options.stages, 100);
    console.log(`\n${graph.stages.length} stages in layers of 100`);
    this.#compare(graph, null);
  }

  /** Makes everything once with each tool, then nothing, by turns. */
  #compare(graph: BenchGraph, data: string | null): void {
    const folders = new Map(this.#tools.map((tool) => [tool, path.join(this.#folder, graph.name, tool)]));
    const first = new Map<string, number>();
    // All of them first: each hard link changes the data's change time, by which tools tell whether a file is the same.
    for (const [tool, folder] of folders) writeProject(tool, graph, folder, data);
    for (const [tool, folder] of folders) {
      completeProject(tool, folder, this.#peers);
      first.set(tool, measure(commandOf(tool, graph, this.#project), folder));
      // Some tools only write after the second run what makes the third one fast.
      measure(commandOf(tool, graph, this.#project), folder);
    }
    const last = graph.stages.at(-1)?.name ?? '';
    const stampsOf = () =>
      [...folders.values()].map((folder) => statSync(path.join(folder, 'artifacts', last)).mtimeMs);
    const before = stampsOf();
    const turns = Array.from({ length: this.#options.repeats }, () => ({
      node: measure(plainNode, this.#folder),
      tools: new Map(
        [...folders].map(([tool, folder]) => [tool, measure(commandOf(tool, graph, this.#project), folder)]),
      ),
    }));
    if (String(before) !== String(stampsOf())) throw new Error('a run with nothing to do made something');
    printTurns(turns, first, graph.stages.length);
    this.#hold(graph, ratioOf(turns, 'repro'));
  }

  #hold({ name }: BenchGraph, ratio: number): void {
    const goal = goals[name] ?? Number.POSITIVE_INFINITY;
    const isMet = ratio <= goal;
    console.log(`goal: at most ${goal} times node -e 0, ${isMet ? 'met' : 'missed'}: ${ratio.toFixed(2)}`);
    if (!isMet) process.exitCode = 1;
  }

  /** How long it takes to find out that nothing has to run if no file is known. */
  #measureFirstHash(graph: BenchGraph): void {
    const folder = path.join(this.#folder, graph.name, 'repro');
    const command = commandOf('repro', graph, this.#project);
    const extra = Array.from({ length: Math.min(5, this.#options.repeats) }, () => {
      const known = measure(command, folder);
      rmSync(path.join(folder, 'artifacts/.cache/digests.json'));
      return measure(command, folder) - known;
    });
    const seconds = median(extra) / 1000;
    const rate = this.#options.dataBytes / 1e9 / seconds;
    console.log(
      `first hash of the input, in the system's cache: ${seconds.toFixed(2)} s (best ${(Math.min(...extra) / 1000).toFixed(2)} s), ${rate.toFixed(2)} GB/s`,
    );
  }

  measureHuge(fill: string): void {
    const graph = layeredGraph('huge', this.#options.hugeStages, 100);
    const folder = path.join(this.#folder, 'huge', 'repro');
    writeProject('repro', graph, folder, null);
    const filled = spawnSync(process.execPath, [fill, folder], { stdio: ['ignore', 'inherit', 'inherit'] });
    if (filled.status !== 0) throw new Error('cannot fill the project');
    const report = path.join(this.#folder, 'peak');
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(
      path.join(this.#folder, 'peak.mjs'),
      `import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS * 1024)));`,
    );
    const { argv, environment } = commandOf('repro', graph, this.#project);
    const [node = '', ...others] = argv;
    const command = { argv: [node, '--import', path.join(this.#folder, 'peak.mjs'), ...others], environment };
    rmSync(path.join(folder, 'artifacts/.cache/documents'), { recursive: true });
    console.log(`\n${graph.stages.length} stages, all up to date`);
    for (const what of ['first run, the pipeline file parsed', 'second run']) {
      const ms = measure(command, folder);
      const megabytes = Number(readFileSync(report, 'utf8')) / 2 ** 20;
      console.log(`${what}: ${(ms / 1000).toFixed(2)} s, peak memory ${megabytes.toFixed(0)} MiB`);
    }
  }
}
