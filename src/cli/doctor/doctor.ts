import { statfs } from 'node:fs/promises';
import os from 'node:os';
import process from 'node:process';
import type { EngineFinding } from '../../engines/selection/probe.ts';
import { ReproError } from '../../errors.ts';
import { formatBytes } from '../../text.ts';
import { type PipelineOptions, printJson } from '../load.ts';
import { findProjectRoot } from '../project.ts';
import { colorsFor } from '../view/colors.ts';

interface DoctorOptions extends PipelineOptions {
  readonly plan?: string;
  readonly json?: boolean;
}

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'missing' | 'problem';
  readonly text: string;
  readonly fix: string | null;
}

/** The free space that a full run needs for frames, store and checkpoints. */
const fullRunBytes = 8e9;

/**
 * `repro doctor`: lists what this machine has and what is missing, and how to get it; then measures for a few seconds how long the full
 * reproduction would take. With `--plan`, what a model needs.
 */
export async function doctor(options: DoctorOptions): Promise<void> {
  const { plan } = options;
  if (plan !== undefined) return (await import('./plan.ts')).planModel({ ...options, plan });
  if (options.profile !== undefined || options.set.length > 0) {
    throw new ReproError('usage', '--profile and --set only apply to --plan', {
      fix: 'Name a model: `repro doctor --plan baseline --profile full`.',
    });
  }
  const root = findProjectRoot(options.project ?? process.cwd());
  const engines = await findEngines();
  const findings = [
    describeNode(),
    describeCores(),
    await describeDisk(root),
    await describeGit(),
    ...engines.map(describeEngine),
  ];
  if (options.json !== true) printFindings(findings);
  const { estimateFullRun, printEstimate } = await import('./estimate.ts');
  const estimate = await estimateFullRun(root, engines);
  if (options.json === true) {
    printJson({ version: 1, command: 'doctor', findings, fullRun: estimate ?? null });
  } else if (estimate !== undefined) printEstimate(estimate, columnWidth(findings));
}

function printFindings(findings: readonly Finding[]): void {
  const c = colorsFor(process.stdout);
  const sign = { ok: c.green('ok     '), missing: c.yellow('missing'), problem: c.red('problem') };
  const width = columnWidth(findings);
  for (const one of findings) {
    process.stdout.write(`${sign[one.state]}  ${one.what.padEnd(width)}  ${one.text}\n`);
    if (one.fix !== null) process.stdout.write(`${' '.repeat(width + 11)}${one.fix}\n`);
  }
}

function columnWidth(findings: readonly Finding[]): number {
  return Math.max(...findings.map((one) => one.what.length));
}

function describeNode(): Finding {
  return {
    what: 'Node.js',
    state: 'ok',
    text: `${process.versions.node}, ${process.platform}-${process.arch}`,
    fix: null,
  };
}

function describeCores(): Finding {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown';
  const text = `${os.availableParallelism()} cores (${model}), ${formatBytes(os.totalmem())} of memory`;
  return { what: 'processor', state: 'ok', text, fix: null };
}

async function describeDisk(root: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(root);
  const freeBytes = bavail * bsize;
  const enough = freeBytes >= fullRunBytes;
  return {
    what: 'disk',
    state: enough ? 'ok' : 'problem',
    text: `${formatBytes(freeBytes)} free here`,
    fix: enough
      ? null
      : `A full run needs ${formatBytes(fullRunBytes)} besides the recordings; the quick one needs far less.`,
  };
}

async function describeGit(): Promise<Finding> {
  const { simpleGit } = await import('simple-git');
  const { installed, major, minor } = await simpleGit().version();
  return installed
    ? { what: 'git', state: 'ok', text: `${major}.${minor}`, fix: null }
    : {
        what: 'git',
        state: 'missing',
        text: 'not found; records will not name the commit',
        fix: 'Install git with your system’s package manager.',
      };
}

async function findEngines(): Promise<readonly EngineFinding[]> {
  const { probeEngines } = await import('../../engines/selection/probe.ts');
  const { probeCudaApart } = await import('./cuda-probe.ts');
  return probeEngines({ probe: probeCudaApart });
}

function describeEngine({ name, available, text, fix }: EngineFinding): Finding {
  const state = !available ? 'missing' : fix === null ? 'ok' : 'problem';
  return { what: `engine ${name}`, state, text, fix };
}
