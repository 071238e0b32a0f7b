import { existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { RunEvent } from '../../../src/runner/events.ts';
import type { MachineResources } from '../../../src/runner/execution/machine.ts';
import { type RunOptions, type RunOutcome, runPlan } from '../../../src/runner/run.ts';
import { type InstanceStatus, readStatus } from '../../../src/runner/status.ts';
import { createPlan, type PlanDescription, type StageDescription } from './plan.ts';
import { compileProgram } from './programs.ts';

export const hostSource = 'src/stage/host.ts';

/** Ample resources, so that tests do not depend on the machine. */
export const roomyMachine: MachineResources = {
  cpu: 64,
  memoryBytes: 2 ** 40,
  gpus: ['0', '1', '2', '3', '4', '5', '6', '7'],
};

export interface RunResult {
  readonly outcome: RunOutcome;
  readonly events: readonly RunEvent[];
  /** `started` instances in order. */
  readonly ran: readonly string[];
  /** `cached` instances in order. */
  readonly cached: readonly string[];
}

/** A project in a temporary folder, whose stages count how often they ran. */
export class Project {
  readonly root: string;
  facts: Readonly<Record<string, () => Promise<string>>> = {};
  environment: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: process.env.HOME };
  #description: PlanDescription;

  constructor(root: string) {
    this.root = root;
    this.#description = { projectRoot: root, stages: [] };
  }

  get description(): PlanDescription {
    return this.#description;
  }

  define(stages: readonly StageDescription[], profile = 'test'): void {
    this.#description = { projectRoot: this.root, profile, stages };
  }

  at(...parts: readonly string[]): string {
    return path.join(this.root, ...parts);
  }

  async write(file: string, content: string | Uint8Array): Promise<void> {
    await fs.mkdir(path.dirname(this.at(file)), { recursive: true });
    await fs.writeFile(this.at(file), content);
  }

  read(file: string): string {
    return readFileSync(this.at(file), 'utf8');
  }

  has(file: string): boolean {
    return existsSync(this.at(file));
  }

  async remove(file: string): Promise<void> {
    await fs.rm(this.at(file), { recursive: true, force: true });
  }

  /** How often a stage has run: the number of lines it has written to `counts/<name>`. */
  count(name: string): number {
    return this.has(`counts/${name}`) ? this.read(`counts/${name}`).trim().split('\n').length : 0;
  }

  async run(options: Partial<RunOptions> = {}): Promise<RunResult> {
    const plan = createPlan(this.#description);
    const events: RunEvent[] = [];
    const { outcome } = await runPlan({
      plan,
      selected: new Set(plan.instances.keys()),
      jobs: 2,
      facts: this.facts,
      signal: new AbortController().signal,
      environment: this.environment,
      hostFile: await compileProgram(hostSource),
      machine: roomyMachine,
      ...options,
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    });
    const idsOf = (kind: 'started' | 'cached'): string[] =>
      events.flatMap((event) => (event.kind === kind ? [event.id] : []));
    return { outcome, events, ran: idsOf('started'), cached: idsOf('cached') };
  }

  status(): Promise<InstanceStatus[]> {
    return readStatus(createPlan(this.#description), { facts: this.facts, environment: this.environment });
  }

  /** The reasons of one instance, as `cue: text`. */
  async reasonsOf(id: string): Promise<string[]> {
    const status = (await this.status()).find((one) => one.id === id);
    return (status?.reasons ?? []).map(({ cue, text }) => `${cue}: ${text}`);
  }
}

export async function createProject(): Promise<Project> {
  const root = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'repro-run-')));
  onTestFinished(() => fs.rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const project = new Project(root);
  await fs.mkdir(project.at('counts'));
  return project;
}

/** The only event of a kind for an instance. */
export function eventOf<Kind extends RunEvent['kind']>(
  events: readonly RunEvent[],
  kind: Kind,
  id?: string,
): Extract<RunEvent, { kind: Kind }> {
  const found = events.filter(
    (event): event is Extract<RunEvent, { kind: Kind }> =>
      event.kind === kind && (id === undefined || ('id' in event && event.id === id)),
  );
  if (found[0] === undefined) {
    throw new Error(`no event "${kind}" of ${id ?? 'any'} in ${JSON.stringify(events, null, 1)}`);
  }
  return found[0];
}
