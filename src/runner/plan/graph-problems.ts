import path from 'node:path';
import { findClosest } from '../../schema/closest-name.ts';
import type { Problem } from '../../schema/problems.ts';
import type { Links } from './graph.ts';
import { type InstanceDraft, suggestFile } from './instances.ts';
import { relatePaths } from './path-trie.ts';
import type { ProjectPaths } from './project-paths.ts';
import { joinLines } from './stage-reader.ts';

/** A stage that the profile leaves out, with the outputs it would have. */
export interface InactiveStage {
  readonly name: string;
  readonly outputs: readonly string[];
}

/** Non-external inputs that no active stage makes and that are not on disk, each with the first stage that reads it. */
export function findMissingInputs(
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
export function describeCycle(
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
