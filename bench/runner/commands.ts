import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { BenchGraph } from './graph.ts';
import type { Tool } from './projects.ts';

/** Exact, so that figures can be compared. */
const npmPeers = { turbo: '2.11.11', wireit: '0.14.13' };

/** Stages at once, in every tool. */
export const jobs = 2;

export interface Command {
  readonly argv: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

const environment: NodeJS.ProcessEnv = {
  ...process.env,
  NO_COLOR: '1',
  CI: 'true',
  FORCE_COLOR: undefined,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  WIREIT_PARALLEL: String(jobs),
  NO_UPDATE_NOTIFIER: '1',
};

/** How each tool brings a whole graph up to date. */
export function commandOf(tool: Tool, graph: BenchGraph, project: string): Command {
  const names = graph.stages.map(({ name }) => name);
  const argvs: Readonly<Record<Tool, readonly string[]>> = {
    repro: [process.execPath, path.join(project, 'bin/repro.js'), 'run', '--jobs', String(jobs)],
    make: ['make', '-rs', `-j${jobs}`, 'all'],
    snakemake: ['snakemake', '--quiet', '--nolock', `-j${jobs}`, 'all'],
    turbo: ['node_modules/.bin/turbo', 'run', ...names, `--concurrency=${jobs}`, '--output-logs=none'],
    wireit: ['npm', 'run', '--silent', 'all'],
  };
  return { argv: argvs[tool], environment };
}

/** Runs a command and returns how long it took, in ms. */
export function measure({ argv, environment }: Command, folder: string): number {
  const [program = '', ...args] = argv;
  const startedMs = performance.now();
  const { status, error, stderr } = spawnSync(program, args, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  const tookMs = performance.now() - startedMs;
  if (error !== undefined) throw error;
  if (status === 0) return tookMs;
  throw new Error(`${program} ended with ${status} in ${folder}:\n${stderr.toString().slice(-2000)}`);
}

/** The tools that are there, after installing those that npm has into a folder. */
export function findTools(wanted: readonly Tool[], folder: string): Tool[] {
  const fromNpm = Object.entries(npmPeers).filter(([name]) => wanted.some((tool) => tool === name));
  let areInstalled = fromNpm.length === 0;
  if (!areInstalled) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    const packages = fromNpm.map(([name, version]) => `${name}@${version}`);
    const args = ['install', '--no-audit', '--no-fund', '--save-exact', ...packages];
    areInstalled = spawnSync('npm', args, { cwd: folder, stdio: 'ignore' }).status === 0;
  }
  return wanted.filter((tool) => {
    const isThere =
      tool === 'repro' ||
      (tool in npmPeers ? areInstalled : spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0);
    if (!isThere) console.log(`${tool} is not there and left out: --help says how to get it`);
    return isThere;
  });
}

/** What a tool needs in its project beside the graph. */
export function completeProject(tool: Tool, folder: string, peers: string): void {
  if (!(tool in npmPeers)) return;
  symlinkSync(path.join(peers, 'node_modules'), path.join(folder, 'node_modules'));
  if (tool !== 'turbo') return;
  // It takes the hashes of unchanged files from git.
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost'];
  for (const args of [
    ['init', '-q'],
    ['-c', 'core.compression=0', 'add', '-A'],
    [...identity, 'commit', '-q', '--no-verify', '-m', 'bench'],
  ]) {
    if (spawnSync('git', args, { cwd: folder, stdio: 'ignore' }).status !== 0) throw new Error('git failed');
  }
}
