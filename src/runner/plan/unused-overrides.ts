import type { Problem } from '../../schema/problems.ts';
import type { PipelineContent, StageEntry } from './pipeline-file.ts';
import type { Settings } from './settings.ts';

/**
 * Warnings of `--set` for keys that the profile does not have and no stage uses: misspelt ones, most likely. Where the profile has a schema,
 * it refuses them.
 */
export function findUnusedOverrides({ stages }: PipelineContent, settings: Settings): Problem[] {
  const { inventions } = settings;
  if (inventions.length === 0) return [];
  const used = [...Object.values(stages).flatMap(listUsed), ...listReferenced(settings.written)];
  return inventions
    .filter(({ path }) => !used.some((one) => areRelated(one, path.join('.'))))
    .map(({ path, place }) => ({
      at: place,
      message: `no stage uses "${path.join('.')}", and profile "${settings.profile}" does not have it, so this changes nothing.`,
      fix: () => settings.suggest(path.join('.')),
    }));
}

/** The settings that a stage uses: its `params`, and those that it refers to. */
export function listUsed(entry: StageEntry): string[] {
  return [...(entry.params ?? []), ...listReferenced(entry)];
}

/** The names in `${...}`. */
export function listReferenced(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/\$\{\s*([^{}\s]+)\s*\}/g)].map(([, name = '']) => name);
}

/** `train` includes `train.epochs`. */
export function areRelated(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}
