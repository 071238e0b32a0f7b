import type { Problem } from '../../schema/problems.ts';
import { formatPlace } from '../../schema/source-position.ts';
import type { InstanceDraft } from './instances.ts';
import { PathTrie, relatePaths } from './path-trie.ts';
import type { PlacedPath } from './placed-path.ts';

interface OwnedOutput {
  readonly id: string;
  readonly placed: PlacedPath;
}

/**
 * Paths that name the same file only where the file system ignores case or how accents are composed, as on most disks of macOS and Windows:
 * there, two outputs would overwrite each other, and a stage would not wait for the one whose output it spells otherwise.
 *
 * @param drafts of a project on such a disk
 */
export function findSpellingConflicts(drafts: readonly InstanceDraft[]): Problem[] {
  const problems: Problem[] = [];
  const outputs = new PathTrie<OwnedOutput>();
  const check = (id: string, stage: string, kind: string, placed: PlacedPath): void => {
    for (const other of outputs.related(fold(placed.path))) {
      if (other.placed === placed || relatePaths(placed.path, other.placed.path) !== 'apart') continue;
      if (id === other.id && kind === 'input') continue;
      problems.push({
        at: placed.at,
        message: `stage "${stage}": ${kind} "${placed.path}" and output "${other.placed.path}" of "${other.id}" (${formatPlace(other.placed.at)}) differ only in spelling, and on this disk name the same.`,
        fix:
          kind === 'input'
            ? 'Spell both alike.'
            : 'Give each a name of its own: two stages would delete each other’s work.',
      });
      return;
    }
  };
  for (const { instance, outputs: own, resume } of drafts) {
    for (const placed of [...own, ...resume]) {
      check(instance.id, instance.stage, own.includes(placed) ? 'output' : 'resume path', placed);
      outputs.add(fold(placed.path), { id: instance.id, placed });
    }
  }
  for (const { instance, inputs } of drafts) {
    for (const placed of inputs) check(instance.id, instance.stage, 'input', placed);
  }
  return problems;
}

/** The same for all spellings that such a disk takes for one. */
function fold(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
