import path from 'node:path';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { findClosest } from '../../base/schema/closest-name.ts';
import type { Json } from '../../base/schema/json.ts';
import { ConfigurationError, type Problem, throwProblems } from '../../base/schema/problems.ts';
import { type Links, linkInstances, sortTopologically } from './graph.ts';
import { guessOutputs, readInstances, suggestFile } from './instances.ts';
import {
  findConfigurationProblems,
  type PipelineContent,
  readPipelineFile,
  type StageEntry,
} from './pipeline-file.ts';
import type { Plan, StageInstance, Trial } from './plan.ts';
import { loadSettings } from './profile.ts';
import type { ProfileSettings } from './profile-settings.ts';
import { ProjectPaths, relatePaths } from './project-paths.ts';
import { findPathConflicts, type InstanceDraft } from './stage-paths.ts';
import { joinLines, type PipelineContext, readCondition, StageReader } from './stage-reader.ts';

export interface PlanRequest {
  readonly projectRoot: string;
  readonly profile?: string | undefined;
  /** Overrides, each like `train.epochs=3`. */
  readonly set?: readonly string[] | undefined;
  /** The machine facts the caller can supply, which `facts:` may name; if omitted, any name is accepted. */
  readonly knownFacts?: readonly string[] | undefined;
}

/**
 * Works out what to run: reads the pipeline and a profile, expands matrices and references, finds
 * dependencies, and checks everything that can be checked before anything runs.
 *
 * @throws {ConfigurationError} with file, line, column, stage and fix for every problem
 */
export async function loadPlan(request: PlanRequest): Promise<Plan> {
  const paths = new ProjectPaths(request.projectRoot);
  const pipeline = await readPipelineFile(paths.absolute('pipeline.yaml'), 'pipeline.yaml');
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
  const read = new Set(drafts.flatMap(({ inputs }) => inputs.map((input) => input.path)));
  throwProblems([
    ...findMissingInputs(drafts, links, inactive, { paths, profile: settings.profile }),
    ...(await findConfigurationProblems(pipeline, read, paths)),
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
    settings: settings.value,
    places: settings,
    instances: new Map([...instances].sort(([a], [b]) => byRank(a, b))),
    dependencies: new Map(sorted.order.map((id) => [id, [...(links.get(id)?.keys() ?? [])].sort(byRank)])),
    inactive: inactive.map(({ name }) => name),
    ...(trial === null ? {} : { trial }),
    ...(cache === undefined ? {} : { remote: { ...cache, address: cache.remote } }),
  };
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

/** A stage that the profile leaves out, with the outputs it would have. */
interface InactiveStage {
  readonly name: string;
  readonly outputs: readonly string[];
}

/** Non-external inputs that no active stage makes and that are not on disk, each with the first stage that reads it. */
function findMissingInputs(
  drafts: readonly InstanceDraft[],
  links: Links,
  inactive: readonly InactiveStage[],
  { paths, profile }: { readonly paths: ProjectPaths; readonly profile: string },
): Problem[] {
  const makers = new Map<string, string>();
  for (const { instance } of drafts) for (const output of instance.outputs) makers.set(output, instance.id);

  const problems = new Map<string, Problem>();
  for (const { instance, inputs } of drafts) {
    const made = new Set([...(links.get(instance.id)?.values() ?? [])].flat());
    for (const [index, input] of inputs.entries()) {
      if (input.external || made.has(index) || problems.has(input.path)) continue;
      if (paths.kindOf(input.path) !== 'missing') continue;
      const dormant = inactive.find(({ outputs }) =>
        outputs.some((output) => relatePaths(output, input.path) !== 'apart'),
      );
      const link = paths.linkOn(input.path);
      const message = `stage "${instance.stage}": input "${input.path}" is made by no stage and is not on disk.`;
      const fix = (): string | undefined =>
        joinLines(
          link && `"${link.path}" is a symbolic link to "${link.target}".`,
          dormant === undefined
            ? suggestInput(input.path, makers, paths)
            : `Stage "${dormant.name}" would make it, but profile "${profile}" leaves that stage out.`,
          input.origin(),
        );
      problems.set(input.path, { at: input.at, message, fix });
    }
  }
  return [...problems.values()];
}

/** `stage "a": the stages wait for each other: a -> b -> a.`, with what reads what. */
function describeCycle(
  cycle: readonly string[],
  drafts: ReadonlyMap<string, InstanceDraft>,
  links: Links,
): Problem {
  const [first = ''] = cycle;
  const steps = cycle.map((maker, index) => {
    const reader = cycle[(index + 1) % cycle.length] ?? first;
    const input = drafts.get(reader)?.inputs[links.get(reader)?.get(maker)?.[0] ?? 0];
    return { maker, reader, input };
  });
  const draft = drafts.get(first);
  const closing = steps.at(-1)?.input;
  return {
    at: closing?.at ?? draft?.instance.at ?? first,
    message: `stage "${draft?.instance.stage ?? first}": the stages wait for each other: ${[...cycle, first].join(' -> ')}.`,
    fix: joinLines(
      ...steps.map(({ maker, reader, input }) => `"${reader}" reads "${input?.path}", made by "${maker}".`),
      'Remove one of these inputs.',
    ),
  };
}

function suggestInput(
  input: string,
  makers: ReadonlyMap<string, string>,
  paths: ProjectPaths,
): string | undefined {
  for (let part = input; part !== '.'; part = path.posix.dirname(part)) {
    const output = findClosest(part, makers.keys());
    if (output === undefined) continue;
    return `Closest: "${output}${input.slice(part.length)}" (made by "${makers.get(output)}").`;
  }
  // The first missing folder on the way may be the misspelt one.
  let [wanted, parent] = [input, path.posix.dirname(input)];
  while (parent !== '.' && paths.kindOf(parent) !== 'folder')
    [wanted, parent] = [parent, path.posix.dirname(parent)];
  return suggestFile(wanted, paths.absolute(parent));
}

/** What `--set` changes of the profile's results; null if nothing. */
function findTrial(
  content: PipelineContent,
  settings: ProfileSettings,
  plan: {
    /** Sorted: what an instance reads comes before it. */
    readonly instances: readonly Pick<StageInstance, 'id' | 'stage'>[];
    readonly dependenciesOf: (id: string) => Iterable<string>;
  },
): Trial | null {
  const changes = listChanges(content, settings);
  if (changes.length === 0) return null;
  // A setting may refer to others, so using it means using those, too.
  const indirect = listReferenced(settings.written);
  const reaching = new Map<string, readonly string[]>();
  for (const { id, stage } of plan.instances) {
    // Matrix values are in the id: `train@baseline,2021` is the same result for any list of seeds.
    const { matrix: _, ...entry } = content.stages[stage] ?? { outputs: [] };
    const used = [...listUsed(entry), ...indirect];
    const before = [...plan.dependenciesOf(id)].flatMap((one) => reaching.get(one) ?? []);
    const readsAll = entry.facts?.includes('configuration') === true;
    const found = changes.filter(
      ({ name, text }) => readsAll || before.includes(text) || used.some((one) => areRelated(one, name)),
    );
    if (found.length > 0) {
      reaching.set(
        id,
        found.map(({ text }) => text),
      );
    }
  }
  return { overrides: changes.map(({ text }) => text), reaching };
}

function listChanges(
  { machine = [] }: PipelineContent,
  settings: ProfileSettings,
): { readonly name: string; readonly text: string }[] {
  return settings.changes
    .map(({ path, value }) => ({ name: path.join('.'), text: `${path.join('.')}=${formatValue(value)}` }))
    .sort((a, b) => compareCodeUnits(a.name, b.name))
    .filter(({ name }) => !machine.some((key) => name === key || name.startsWith(`${key}.`)));
}

/** A value as `--set` takes it, always written in the same way. */
function formatValue(value: Json): string {
  const isPlain = typeof value === 'string' && /^[A-Za-z_][\w./-]*$/.test(value) && !isYamlWord(value);
  return isPlain ? value : JSON.stringify(value);
}

/** Words that YAML reads as something else than a string. */
function isYamlWord(text: string): boolean {
  return /^(true|false|null|yes|no|on|off)$/i.test(text);
}

function listUsed(entry: StageEntry): string[] {
  return [...(entry.params ?? []), ...listReferenced(entry)];
}

function listReferenced(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/\$\{\s*([^{}\s]+)\s*\}/g)].map(([, name = '']) => name);
}

function areRelated(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}
