import { type ChildProcess, spawn } from 'node:child_process';
import { vi } from 'vitest';
import type { RunEvent } from '../../../src/runner/run/events.ts';
import { patience } from '../../support/processes.ts';
import { compileProgram } from '../../support/programs.ts';
import { hostSource, type Project } from './project.ts';

export interface RunnerOptions {
  readonly graceSeconds?: number;
  readonly jobs?: number;
  readonly environment?: NodeJS.ProcessEnv;
}

/** `runPlan` in its own process, to be killed. */
export class RunnerProcess {
  readonly child: ChildProcess;
  readonly events: RunEvent[] = [];
  /** What it wrote to stderr. */
  errors = '';
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #rest = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      this.events.push(...lines.map((line) => JSON.parse(line) as RunEvent));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  }

  async waitForEvent(kind: RunEvent['kind']): Promise<void> {
    await vi.waitFor(() => {
      if (!this.events.some((event) => event.kind === kind))
        throw new Error(`no event "${kind}" yet: ${this.errors}`);
    }, patience);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

export async function startRunner(project: Project, options: RunnerOptions = {}): Promise<RunnerProcess> {
  const [program, hostFile] = await Promise.all([
    compileProgram('test/fixtures/run-plan.ts'),
    compileProgram(hostSource),
  ]);
  const { environment, ...others } = options;
  const argument = JSON.stringify({ description: project.description, hostFile, jobs: 2, ...others });
  const child = spawn(process.execPath, [program, argument], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...project.environment, ...environment },
  });
  return new RunnerProcess(child);
}
