import fs from 'node:fs/promises';
import type { Facts } from '../../../src/runner/freshness/fingerprint.ts';
import type { RunEvent } from '../../../src/runner/run/events.ts';
import type { MachineResources } from '../../../src/runner/run/machine.ts';
import { type PlanRunOptions, type RunOutcome, runPlan } from '../../../src/runner/run/run.ts';
import { type InstanceStatus, readStatus } from '../../../src/runner/run/status.ts';
import { compileProgram } from '../../support/programs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createPlan, type PlanDescription, type StageDescription } from './plan.ts';
import { ProjectFolder } from './project-folder.ts';

export const hostSource = 'src/runner/stage/host.ts';

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

/** A project in a temporary folder, whose plan is made without a pipeline file. */
export class Project extends ProjectFolder {
  facts: Facts = {};
  environment: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: process.env.HOME };
  #description: PlanDescription;

  constructor(root: string) {
    super(root);
    this.#description = { projectRoot: root, stages: [] };
  }

  get description(): PlanDescription {
    return this.#description;
  }

  define(stages: readonly StageDescription[], profile = 'test'): void {
    this.#description = { projectRoot: this.root, profile, stages };
  }

  async run(options: Partial<PlanRunOptions> = {}): Promise<RunResult> {
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

/** For one test, with these stages. */
export async function createProject(stages: readonly StageDescription[] = []): Promise<Project> {
  const root = await temporaryFolder();
  const project = new Project(root);
  project.define(stages);
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
