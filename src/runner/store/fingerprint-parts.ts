import path from 'node:path';
import * as v from 'valibot';
import { hashJson, isSameJson } from '../../base/files/canonical-json.ts';
import { isObject, type Value } from '../../base/files/shape.ts';
import type { JsonObject } from '../../base/schema/json.ts';
import type { StageCommand } from '../plan/plan.ts';

/** Raise this when the same parts come to mean something else: every stage then runs again. */
export const formatVersion = 1;

const inputShape = v.object({
  path: v.string(),
  external: v.boolean(),
  /** By which the stage asks for it, in a map under `inputs:`. */
  name: v.exactOptional(v.string()),
  /** sha256 of a file, the digest of a folder, or `missing`; null until the stage that makes it has run. */
  digest: v.nullable(v.string()),
  /** For a folder that consists of other stages' outputs: output -> digest. */
  of: v.exactOptional(v.record(v.string(), v.string())),
  /** Instances that must run before the digest is known. */
  waitsFor: v.exactOptional(v.array(v.string())),
});
export type InputPart = Value<typeof inputShape>;

const texts = v.record(v.string(), v.string());

/** Records of other forms cannot be compared with what is computed now. */
export const partsShape = v.object({
  version: v.literal(formatVersion),
  command: v.custom<StageCommand>(isObject),
  /** Source file -> sha256 of what it does. */
  code: texts,
  packages: texts,
  params: v.looseObject({}),
  matrix: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
  inputs: v.array(inputShape),
  outputs: v.array(v.string()),
  /** null if a variable is not set. */
  variables: v.record(v.string(), v.nullable(v.string())),
  /** Of the machine, by name; versions of tools by the command that prints them. */
  facts: texts,
  /** Not Node's version: results are the same under every one that is supported, which `.ci/run` checks. */
  runtime: v.object({ platform: v.string(), arch: v.string() }),
});

/** Everything that an instance's results depend on, part by part, so that a difference can be named. */
export type FingerprintParts = Omit<Value<typeof partsShape>, 'params'> & { readonly params: JsonObject };

export type CodeParts = Omit<FingerprintParts, 'inputs' | 'variables' | 'facts' | 'runtime'>;

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
