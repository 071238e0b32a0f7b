import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { hashJson } from '../../base/files/canonical-json.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { omitAt } from '../../base/schema/json.ts';
import { formatPlace } from '../../base/schema/problems.ts';
import { shortenText } from '../../base/text.ts';
import { type Plan, runFactNames, type StageInstance, type Tool } from '../plan/plan.ts';
import { withDependencies } from '../plan/selection.ts';
import { digestFile, type KnownDigests } from '../store/digest.ts';
import type { DigestCache } from '../store/digest-cache.ts';
import { type CodeParts, type FingerprintParts, formatVersion } from '../store/fingerprint-parts.ts';
import type { CodeClosures } from './code-closure.ts';
import type { InputDigests, ProducedOutputs } from './input-digests.ts';

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

export function variablesOf(
  { variables, facts }: Pick<StageInstance, 'variables' | 'facts'>,
  known: Facts,
): readonly string[] {
  return [...variables, ...facts.flatMap((name) => known[name]?.variables ?? [])];
}

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

  forget(): void {
    this.#known.clear();
  }

  #factOf(name: string, instance: FactSubject): Promise<string> {
    const source = this.#facts[name];
    // The plan has checked the names.
    if (source === undefined) throw new Error(`there is no fact "${name}"`);
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

/** Computes the fingerprint parts of instances. What is not available throws a ReproError. */
export function createFingerprints(sources: FingerprintSources) {
  const { plan, closures, inputs, facts, digests, environment } = sources;
  const finder = new FactFinder(facts, plan.projectRoot, environment, digests);
  /** The parts that are in the repository: they need no data and are the same on every machine. */
  const findCode = async (instance: StageInstance): Promise<CodeParts> => {
    const { command } = instance;
    const closure =
      command.kind === 'module'
        ? await closures.find(command.path)
        : { files: await inputs.digestArguments(command.argv), packages: {} };
    return {
      version: formatVersion,
      command,
      code: closure.files,
      packages: closure.packages,
      params: (instance.machineParams ?? []).reduce(omitAt, instance.params),
      matrix: instance.matrix,
      outputs: instance.outputs,
    };
  };
  const findFacts = (instance: StageInstance) => finder.find(instance);
  return {
    findCode,
    findFacts,
    find: async (instance: StageInstance, produced: ProducedOutputs): Promise<FingerprintParts> => {
      const found = await findFacts(instance);
      return {
        ...(await findCode(instance)),
        inputs: await inputs.digest(instance, produced),
        variables: Object.fromEntries(instance.variables.map((name) => [name, environment[name] ?? null])),
        facts: found,
        runtime: { platform: process.platform, arch: process.arch },
      };
    },
    /** Parts found from here on are of code, sources and facts as they are then, not as they were when another instance asked. */
    forget: (): void => {
      finder.forget();
      closures.forget();
      inputs.forget();
    },
  };
}

export type Fingerprints = ReturnType<typeof createFingerprints>;

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

/**
 * What every program needs to find its files, language and libraries, and which GPUs to use; none of it may
 * change results. A stage must declare anything else under `variables:`, or have a fact that covers it.
 */
const alwaysPassed: readonly string[] = [
  'PATH',
  'HOME',
  'LANG',
  'LANGUAGE',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'VK_DRIVER_FILES',
  'VK_ICD_FILENAMES',
];

/** The environment of a stage's process: nothing else is in it, except for its paths and parameters if it is a command. */
export function stageEnvironment(
  declared: readonly string[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const wanted = new Set([...alwaysPassed, ...declared]);
  const isPassed = (name: string): boolean => wanted.has(name) || name.startsWith('LC_');
  return Object.fromEntries(
    Object.entries(environment).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && isPassed(pair[0]),
    ),
  );
}

/** How the version of a tool is named among the facts of an instance. */
function factNameOf({ command }: Tool): string {
  return quoteWords(command);
}

/**
 * The first line that a tool's command prints, to stdout or else to stderr.
 *
 * @throws {ReproError} `tool-version` if the command does not exist, fails or says nothing
 */
async function readToolVersion(tool: Tool, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const [program = '', ...args] = tool.command;
  // Loaded only where a stage names a tool.
  const { execa } = await import('execa');
  // A program that takes longer to say its version does something else.
  const limits = { timeout: 20_000, killSignal: 'SIGKILL', stdin: 'ignore' } as const;
  const asked = await execa(program, args, { cwd, env, extendEnv: false, reject: false, ...limits });
  const said = firstLineOf(asked.stdout) || firstLineOf(asked.stderr);
  if (!asked.failed && said !== '') return said;
  const problem = asked.failed ? `cannot be asked: ${asked.shortMessage}` : 'prints nothing';
  throw new ReproError('tool-version', `"${factNameOf(tool)}" ${problem}`, {
    where: formatPlace(tool.at),
    fix: 'Install it, or correct `tools:`. Name a program, which is run with --version, or a whole command such as "java -version". If a word contains blanks, write a list: ["my tool", -v].',
  });
}

function firstLineOf(text: string): string {
  const line = text.split(/\r?\n/).find((one) => one.trim() !== '') ?? '';
  return shortenText(line.trim(), 200);
}
