import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { omitAt } from '../../schema/json.ts';
import { formatPlace } from '../../schema/problems.ts';
import { hashJson, isSameJson } from '../canonical-json.ts';
import type { Json, MatrixValue, StageCommand, StageInstance } from '../plan/plan.ts';
import type { CodeClosures } from './code-closure.ts';
import type { InputDigests, InputPart, ProducedOutputs } from './input-digests.ts';
import { factNameOf, ToolVersions } from './tool-versions.ts';

/** Raise this when the same parts come to mean something else: every stage then runs again. */
const formatVersion = 1;

/** Everything that an instance's results depend on, part by part, so that a difference can be named. */
export interface FingerprintParts {
  readonly version: typeof formatVersion;
  readonly command: StageCommand;
  /** Source file -> sha256 of what it does. */
  readonly code: Readonly<Record<string, string>>;
  /** Package -> locked version. */
  readonly packages: Readonly<Record<string, string>>;
  readonly params: { readonly [key: string]: Json };
  readonly matrix: Readonly<Record<string, MatrixValue>>;
  readonly inputs: readonly InputPart[];
  readonly outputs: readonly string[];
  /** null if a variable is not set. */
  readonly variables: Readonly<Record<string, string | null>>;
  /** Of the machine, by name; versions of tools by the command that prints them. */
  readonly facts: Readonly<Record<string, string>>;
  /** Not Node's version: results are the same under every one that is supported, which `.ci/run` checks. */
  readonly runtime: { readonly platform: string; readonly arch: string };
}

/** What a fingerprint has from the repository alone. */
export type CodeParts = Omit<FingerprintParts, 'inputs' | 'variables' | 'facts' | 'runtime'>;

/** Whether parts read from a file have the form this runner writes, and so can be compared with the current ones. */
export function areFingerprintParts(value: unknown): value is FingerprintParts {
  if (typeof value !== 'object' || value === null) return false;
  const parts = value as Partial<FingerprintParts>;
  const { version, command, code, packages, params, matrix, inputs, outputs, variables, facts, runtime } =
    parts;
  return (
    version === formatVersion &&
    [command, code, packages, params, matrix, variables, facts, runtime].every(
      (one) => typeof one === 'object' && one !== null,
    ) &&
    Array.isArray(outputs) &&
    outputs.every((output) => typeof output === 'string') &&
    Array.isArray(inputs) &&
    inputs.every(isInputPart)
  );
}

function isInputPart(value: unknown): value is InputPart {
  if (typeof value !== 'object' || value === null) return false;
  const { path, external, digest, of: made, waitsFor } = value as Partial<InputPart>;
  return (
    typeof path === 'string' &&
    ['boolean', 'undefined'].includes(typeof external) &&
    (digest === null || typeof digest === 'string') &&
    ['object', 'undefined'].includes(typeof made) &&
    made !== null &&
    (waitsFor === undefined || Array.isArray(waitsFor))
  );
}

/** What the caller knows about this machine, by name. */
export type Facts = Readonly<Record<string, Fact>>;

/** Determines a fact, which may depend on the parameters of the stage that asks. */
export interface Fact {
  (params: StageInstance['params']): Promise<string>;
  /**
   * Environment variables whose effect the fact covers. Stages that have the fact see them; a change makes stale only what changes with
   * the fact.
   */
  readonly variables?: readonly string[];
  /** How long work takes where the fact has a value, relative to its other values; null if that was never measured. */
  slowness?(value: string): number | null;
}

/** The environment variables that an instance sees. */
export function variablesOf({ variables, facts }: StageInstance, known: Facts): readonly string[] {
  return [...variables, ...facts.flatMap((name) => known[name]?.variables ?? [])];
}

/** Hex sha256 over the parts. The location of external data does not count, and what makes up a digest is already in the digest. */
export function hashParts(parts: FingerprintParts): string {
  return hashJson(withoutPlaces(parts));
}

/** Whether two have the same fingerprint: much faster than computing it. */
export function haveSameFingerprint(a: FingerprintParts, b: FingerprintParts): boolean {
  return isSameJson(withoutPlaces(a), withoutPlaces(b));
}

function withoutPlaces(parts: FingerprintParts): unknown {
  const inputs = parts.inputs.map(({ path, external, digest }) => ({ path: external ? null : path, digest }));
  return { ...parts, inputs };
}

/** Whether every input is known, that is, none waits for a stage that has to run first. */
export function isComplete(parts: FingerprintParts): boolean {
  return parts.inputs.every((input) => input.digest !== null);
}

/** Computes the fingerprint parts of instances; what several of them share is looked up once. */
export class Fingerprints {
  readonly #closures: CodeClosures;
  readonly #inputs: InputDigests;
  readonly #facts: Facts;
  readonly #knownFacts = new Map<string, Promise<string>>();
  readonly #environment: NodeJS.ProcessEnv;
  readonly #tools: ToolVersions;

  constructor(parts: {
    closures: CodeClosures;
    inputs: InputDigests;
    facts: Facts;
    projectRoot: string;
    environment: NodeJS.ProcessEnv;
  }) {
    this.#closures = parts.closures;
    this.#inputs = parts.inputs;
    this.#facts = parts.facts;
    this.#environment = parts.environment;
    this.#tools = new ToolVersions(parts.projectRoot, parts.environment);
  }

  /** @throws {ReproError} if code, an input or a fact is unavailable */
  async find(instance: StageInstance, produced: ProducedOutputs): Promise<FingerprintParts> {
    const facts: Record<string, string> = {};
    for (const name of instance.facts) facts[name] = await this.#factOf(name, instance);
    for (const tool of instance.tools ?? []) {
      facts[factNameOf(tool)] = await this.#tools.find(
        tool,
        instance.stage,
        variablesOf(instance, this.#facts),
      );
    }
    return {
      ...(await this.findCode(instance)),
      inputs: await this.#inputs.digest(instance, produced),
      variables: Object.fromEntries(
        instance.variables.map((name) => [name, this.#environment[name] ?? null]),
      ),
      facts,
      runtime: { platform: process.platform, arch: process.arch },
    };
  }

  /**
   * The parts that are in the repository: they need no data and are the same on every machine.
   *
   * @throws {ReproError} if the code is unavailable
   */
  async findCode(instance: StageInstance): Promise<CodeParts> {
    const { command } = instance;
    const closure =
      command.kind === 'module'
        ? await this.#closures.find(command.path)
        : { files: await this.#inputs.digestArguments(command.argv), packages: {} };
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

  #factOf(name: string, instance: StageInstance): Promise<string> {
    const source = this.#facts[name];
    if (source === undefined) {
      throw new ReproError('unknown-fact', `stage "${instance.stage}": there is no fact "${name}"`, {
        where: formatPlace(instance.at),
        fix: `Known facts: ${Object.keys(this.#facts).join(', ') || 'none'}.`,
      });
    }
    const key = JSON.stringify([name, instance.params]);
    const known = this.#knownFacts.get(key) ?? source(instance.params);
    this.#knownFacts.set(key, known);
    return known;
  }
}
