import path from 'node:path';
import { hashJson, isSameJson } from '../../files/canonical-json.ts';
import type { Json, MatrixValue, StageCommand } from '../plan/plan.ts';
import { isObjectOrList, isString, listOf, nullable, oneOf, optionalField, shape } from './shape.ts';

/** Raise this when the same parts come to mean something else: every stage then runs again. */
export const formatVersion = 1;

/** Everything that an instance's results depend on, part by part, so that a difference can be named. */
export interface FingerprintParts {
  readonly version: typeof formatVersion;
  readonly command: StageCommand;
  /** Source file -> sha256 of what it does. */
  readonly code: Readonly<Record<string, string>>;
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

export type CodeParts = Omit<FingerprintParts, 'inputs' | 'variables' | 'facts' | 'runtime'>;

export interface InputPart {
  readonly path: string;
  readonly external: boolean;
  /** By which the stage asks for it, in a map under `inputs:`. */
  readonly name?: string;
  /** sha256 of a file, the digest of a folder, or `missing`; null until the stage that makes it has run. */
  readonly digest: string | null;
  /** For a folder that consists of other stages' outputs: output -> digest. */
  readonly of?: Readonly<Record<string, string>>;
  /** Instances that must run before the digest is known. */
  readonly waitsFor?: readonly string[];
}

/** Whether parts read from a file have the form this runner writes, and so can be compared with the current ones. */
export const areFingerprintParts = shape<FingerprintParts>({
  version: oneOf(formatVersion),
  command: isObjectOrList,
  code: isObjectOrList,
  packages: isObjectOrList,
  params: isObjectOrList,
  matrix: isObjectOrList,
  inputs: listOf(
    shape<InputPart>({
      path: isString,
      external: (one) => ['boolean', 'undefined'].includes(typeof one),
      name: optionalField(isString),
      digest: nullable(isString),
      of: optionalField(isObjectOrList),
      waitsFor: optionalField(Array.isArray),
    }),
  ),
  outputs: listOf(isString),
  variables: isObjectOrList,
  facts: isObjectOrList,
  runtime: isObjectOrList,
});

/** Hex sha256 over the parts. The location of external data does not count, and what makes up a digest is already in the digest. */
export function hashParts(parts: FingerprintParts): string {
  return hashJson(comparable(parts));
}

/** Whether two have the same fingerprint: much faster than computing it. */
export function haveSameFingerprint(a: FingerprintParts, b: FingerprintParts): boolean {
  return isSameJson(comparable(a), comparable(b));
}

function comparable(parts: FingerprintParts): unknown {
  const inputs = parts.inputs.map(({ path, external, name, digest }) => ({
    ...(name === undefined ? {} : { name }),
    ...{ path: external ? null : path, digest },
  }));
  return { ...parts, inputs };
}

export function isComplete(parts: FingerprintParts): boolean {
  return parts.inputs.every((input) => input.digest !== null);
}

/** Stands for a place that others do not have. */
const elsewhere = '(outside the project)';

/** The parts without the places of external data on this machine, which are in no fingerprint, for records that others read. */
export function withoutPlaces(parts: FingerprintParts): FingerprintParts {
  const inputs = parts.inputs.map((input) =>
    input.external && path.isAbsolute(input.path) ? { ...input, path: elsewhere } : input,
  );
  return { ...parts, inputs };
}
