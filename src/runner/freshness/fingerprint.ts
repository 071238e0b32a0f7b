import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { hashJson } from '../../files/canonical-json.ts';
import { omitAt } from '../../schema/json.ts';
import { formatPlace } from '../../schema/problems.ts';
import { type Plan, runFactNames, type StageInstance } from '../plan/plan.ts';
import { withDependencies } from '../plan/selection.ts';
import { digestFile, type KnownDigests } from '../store/digest.ts';
import type { DigestCache } from '../store/digest-cache.ts';
import { type CodeParts, type FingerprintParts, formatVersion } from '../store/fingerprint-parts.ts';
import type { CodeClosures } from './code-closure.ts';
import type { InputDigests, ProducedOutputs } from './input-digests.ts';
import { stageEnvironment } from './stage-environment.ts';
import { factNameOf, readToolVersion } from './tool-versions.ts';

/** What the caller knows about this machine, by name. */
export type Facts = Readonly<Record<string, Fact>>;

/**
 * Determines a fact, which may depend on the parameters of the stage that asks, and on the sha256 of files, which the runner remembers. Facts
 * of a run depend on the instance that asks.
 */
interface Fact {
  (
    params: StageInstance['params'],
    digestFile: (absolute: string) => Promise<string>,
    id?: string,
  ): Promise<string>;
  /** Environment variables whose effect the fact covers. Stages that have the fact see them; a change makes stale only what changes with the fact. */
  readonly variables?: readonly string[];
}

/** The environment variables that an instance sees. */
export function variablesOf(
  { variables, facts }: Pick<StageInstance, 'variables' | 'facts'>,
  known: Facts,
): readonly string[] {
  return [...variables, ...facts.flatMap((name) => known[name]?.variables ?? [])];
}

/** What the facts of an instance depend on. */
type FactSubject = Pick<StageInstance, 'id' | 'stage' | 'params' | 'facts' | 'tools' | 'variables' | 'at'>;

/** Determines the facts of instances on this machine; what several of them share is looked up once. */
export class FactFinder {
  readonly #facts: Facts;
  readonly #known = new Map<string, Promise<string>>();
  readonly #projectRoot: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #digests: KnownDigests;

  constructor(
    facts: Facts,
    projectRoot: string,
    environment: NodeJS.ProcessEnv,
    digests: KnownDigests = null,
  ) {
    this.#facts = facts;
    this.#projectRoot = projectRoot;
    this.#environment = environment;
    this.#digests = digests;
  }

  /** @throws {ReproError} if one is unavailable */
  async find(instance: FactSubject): Promise<Record<string, string>> {
    const facts: Record<string, string> = {};
    for (const name of instance.facts) facts[name] = await this.#factOf(name, instance);
    for (const tool of instance.tools ?? []) {
      const environment = stageEnvironment(variablesOf(instance, this.#facts), this.#environment);
      facts[factNameOf(tool)] = await this.#once([tool.command, environment], () =>
        readToolVersion(tool, this.#projectRoot, environment),
      );
    }
    return facts;
  }

  /** What is found from here on is looked up anew. */
  forget(): void {
    this.#known.clear();
  }

  #factOf(name: string, instance: FactSubject): Promise<string> {
    const source = this.#facts[name];
    if (source === undefined) {
      throw new ReproError('unknown-fact', `stage "${instance.stage}": there is no fact "${name}"`, {
        where: formatPlace(instance.at),
        fix: `Known facts: ${Object.keys(this.#facts).join(', ') || 'none'}.`,
      });
    }
    const { id, params } = instance;
    const isOfRun = runFactNames.some((one) => one === name);
    return this.#once([name, params, isOfRun && id], () =>
      source(params, (file) => digestFile(file, this.#digests), id),
    );
  }

  #once(about: unknown, find: () => Promise<string>): Promise<string> {
    const key = JSON.stringify(about);
    const known = this.#known.get(key) ?? find();
    this.#known.set(key, known);
    return known;
  }
}

interface FingerprintSources {
  readonly plan: Pick<Plan, 'projectRoot'>;
  readonly closures: CodeClosures;
  readonly inputs: InputDigests;
  readonly facts: Facts;
  readonly digests: DigestCache;
  readonly environment: NodeJS.ProcessEnv;
}

/** Computes the fingerprint parts of instances. */
export class Fingerprints {
  readonly #sources: FingerprintSources;
  readonly #facts: FactFinder;

  constructor(sources: FingerprintSources) {
    this.#sources = sources;
    const { facts, plan, environment, digests } = sources;
    this.#facts = new FactFinder(facts, plan.projectRoot, environment, digests);
  }

  /** @throws {ReproError} if code, an input or a fact is unavailable */
  async find(instance: StageInstance, produced: ProducedOutputs): Promise<FingerprintParts> {
    const { inputs, environment } = this.#sources;
    const facts = await this.findFacts(instance);
    return {
      ...(await this.findCode(instance)),
      inputs: await inputs.digest(instance, produced),
      variables: Object.fromEntries(instance.variables.map((name) => [name, environment[name] ?? null])),
      facts,
      runtime: { platform: process.platform, arch: process.arch },
    };
  }

  /** @throws {ReproError} if one is unavailable */
  findFacts(instance: StageInstance): Promise<Record<string, string>> {
    return this.#facts.find(instance);
  }

  /** Parts found from here on are of code, sources and facts as they are then, not as they were when another instance asked. */
  forget(): void {
    this.#facts.forget();
    this.#sources.closures.forget();
    this.#sources.inputs.forget();
  }

  /** The parts that are in the repository: they need no data and are the same on every machine. @throws {ReproError} if the code is unavailable */
  async findCode(instance: StageInstance): Promise<CodeParts> {
    const { command } = instance;
    const closure =
      command.kind === 'module'
        ? await this.#sources.closures.find(command.path)
        : { files: await this.#sources.inputs.digestArguments(command.argv), packages: {} };
    return {
      version: formatVersion,
      command,
      code: closure.files,
      packages: closure.packages,
      params: (instance.machineParams ?? []).reduce(omitAt, instance.params),
      matrix: instance.matrix,
      outputs: instance.outputs,
    };
  }
}

/** What a stage that describes a run has to know of it, besides what the other stages made. Other stages than it depends on do not count. */
export function runFactsOf(
  plan: Pick<Plan, 'instances' | 'dependencies' | 'profile' | 'trial'>,
  closures: Pick<CodeClosures, 'find'>,
): Record<(typeof runFactNames)[number], Facts[string]> {
  const behind = (id: string) => {
    const ids = withDependencies(plan, [id]);
    return new Map([...plan.instances].filter(([one]) => ids.has(one)));
  };
  return {
    /** sha256 of the code and the packages of its stages that are modules. */
    code: async (_params, _digest, id = '') => {
      const commands = [...behind(id).values()].map(({ command }) => command);
      const modules = new Set(commands.flatMap((one) => (one.kind === 'module' ? [one.path] : [])));
      const found = await Promise.all([...modules].sort().map((module) => closures.find(module)));
      return hashJson(found.map(({ files, packages }) => ({ files, packages })));
    },
    /** JSON: the profile, and the `--set` that change its results. */
    configuration: async () => JSON.stringify({ profile: plan.profile, set: plan.trial?.overrides ?? [] }),
  };
}
