import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { ConfigurationError, type Problem, throwProblems } from '../../schema/problems.ts';
import { linkInstances, sortTopologically } from './graph.ts';
import { describeCycle, findMissingInputs, type InactiveStage } from './graph-problems.ts';
import { guessOutputs, type InstanceDraft, readInstances } from './instances.ts';
import { findTrial, findUnknownMachineSettings } from './override-effects.ts';
import { findPathConflicts } from './path-conflicts.ts';
import { type PipelineContent, readPipelineFile } from './pipeline-file.ts';
import type { Plan } from './plan.ts';
import { loadSettings } from './profile.ts';
import { ProjectPaths } from './project-paths.ts';
import { findConfigurationProblems } from './schema-map.ts';
import { type PipelineContext, readCondition, StageReader } from './stage-reader.ts';

export interface PlanRequest {
  readonly projectRoot: string;
  /** Relative to the project; default `pipeline.yaml`. */
  readonly pipelineFile?: string | undefined;
  readonly profile?: string | undefined;
  /** Overrides, each like `train.epochs=3`. */
  readonly set?: readonly string[] | undefined;
  /** The machine facts the caller can supply, which `facts:` may name; if omitted, any name is accepted. */
  readonly knownFacts?: readonly string[] | undefined;
  /** Called with each file of configuration, relative to the project, before it is read, if it exists or not. */
  readonly onRead?: ((file: string) => void) | undefined;
}

/**
 * Works out what to run: reads the pipeline and a profile, expands matrices and references, finds
 * dependencies, and checks everything that can be checked before anything runs.
 *
 * @throws {ConfigurationError} with file, line, column, stage and fix for every problem
 */
export async function loadPlan(request: PlanRequest): Promise<Plan> {
  const { projectRoot, pipelineFile = 'pipeline.yaml' } = request;
  const paths = openProject(projectRoot);
  request.onRead?.(pipelineFile);
  const pipeline = await readPipelineFile(paths.absolute(pipelineFile), pipelineFile);
  for (const file of listConfiguration(pipeline.content, request.profile)) request.onRead?.(file);
  const settings = await loadSettings(pipeline, paths, {
    name: request.profile,
    assignments: request.set ?? [],
  });

  const { drafts, inactive } = readStages({
    pipeline,
    settings,
    paths,
    knownFacts: request.knownFacts,
    problems: [],
  });
  throwProblems(findPathConflicts(drafts));

  const instances = new Map(drafts.map(({ instance }) => [instance.id, instance]));
  const links = linkInstances(instances.values());
  throwProblems([
    ...findUnknownMachineSettings(pipeline, settings),
    ...findMissingInputs(drafts, links, inactive, { paths, profile: settings.profile }),
    ...(await findConfigurationProblems(pipeline, drafts, paths)),
  ]);

  const sorted = sortTopologically([...instances.keys()], (id) => links.get(id)?.keys() ?? []);
  if ('cycle' in sorted) {
    const byId = new Map(drafts.map((draft) => [draft.instance.id, draft]));
    throw new ConfigurationError([describeCycle(sorted.cycle, byId, links)]);
  }
  const trial = findTrial(pipeline.content, settings, {
    instances: sorted.order.flatMap((id) => instances.get(id) ?? []),
    dependenciesOf: (id) => links.get(id)?.keys() ?? [],
  });
  const rank = new Map(sorted.order.map((id, index) => [id, index]));
  const byRank = (a: string, b: string): number => (rank.get(a) ?? 0) - (rank.get(b) ?? 0);
  const { cache } = pipeline.content;
  return {
    projectRoot: paths.root,
    profile: settings.profile,
    otherProfiles: settings.otherProfiles,
    settings: settings.value,
    places: settings,
    instances: new Map([...instances].sort(([a], [b]) => byRank(a, b))),
    dependencies: new Map(sorted.order.map((id) => [id, [...(links.get(id)?.keys() ?? [])].sort(byRank)])),
    inactive: inactive.map(({ name }) => name),
    ...(trial === null ? {} : { trial }),
    ...(cache === undefined ? {} : { remote: { ...cache, address: cache.remote } }),
  };
}

function listConfiguration({ profiles, schemas }: PipelineContent, profile: string | undefined): string[] {
  const { folder = '', default: byDefault = '', schema } = profiles ?? {};
  return [
    ...(profiles === undefined ? [] : [path.posix.join(folder, `${profile ?? byDefault}.yaml`)]),
    ...(schema === undefined ? [] : [schema]),
    ...Object.values(schemas ?? {}),
  ];
}

function readStages(context: PipelineContext): {
  drafts: readonly InstanceDraft[];
  inactive: readonly InactiveStage[];
} {
  const drafts: InstanceDraft[] = [];
  const inactive: InactiveStage[] = [];
  const problems: Problem[] = context.problems;
  for (const [name, entry] of Object.entries(context.pipeline.content.stages)) {
    const reader = new StageReader(name, entry, context);
    const active = readCondition(reader);
    if (active === true) drafts.push(...readInstances(reader));
    else if (active === false) inactive.push({ name, outputs: guessOutputs(reader) });
  }
  throwProblems(problems);
  return { drafts, inactive };
}

function openProject(projectRoot: string): ProjectPaths {
  try {
    return new ProjectPaths(projectRoot);
  } catch (cause) {
    throw new ReproError('no-project', 'this folder does not exist.', {
      where: path.resolve(projectRoot),
      cause,
    });
  }
}
