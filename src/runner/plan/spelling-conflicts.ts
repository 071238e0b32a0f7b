import { formatPlace, type Problem } from '../../schema/problems.ts';
import type { InstanceDraft } from './instances.ts';
import { PathTrie, relatePaths } from './path-trie.ts';
import type { PlacedPath } from './placed-path.ts';

/** A path that the runner replaces and deletes. */
interface WrittenPath {
  readonly id: string;
  readonly kind: 'output' | 'resume path';
  readonly placed: PlacedPath;
}

/**
 * Paths that name the same file only where the file system ignores case or how accents are composed, as on most disks of macOS and Windows:
 * there, two outputs would overwrite each other, a stage would not wait for the one whose output it spells otherwise, and one that changes
 * its own input would never be up to date.
 *
 * @param drafts of a project on such a disk
 */
export function findSpellingConflicts(drafts: readonly InstanceDraft[]): Problem[] {
  const problems: Problem[] = [];
  const written = new PathTrie<WrittenPath>();
  const check = (
    id: string,
    stage: string,
    kind: WrittenPath['kind'] | 'input',
    placed: PlacedPath,
  ): void => {
    for (const other of written.related(foldSpelling(placed.path))) {
      if (other.placed === placed || relatePaths(placed.path, other.placed.path) !== 'apart') continue;
      const isOwn = id === other.id;
      const whose = `${other.kind} "${other.placed.path}" of ${isOwn ? 'its own' : `"${other.id}"`}`;
      problems.push({
        at: placed.at,
        message: `stage "${stage}": ${kind} "${placed.path}" and ${whose} (${formatPlace(other.placed.at)}) differ only in spelling, and on this disk name the same.`,
        fix: kind === 'input' ? fixOfInput(placed, other, isOwn) : fixOfWritten(isOwn),
      });
      return;
    }
  };
  for (const { instance, outputs, resume } of drafts) {
    for (const placed of [...outputs, ...resume]) {
      const kind = outputs.includes(placed) ? 'output' : 'resume path';
      check(instance.id, instance.stage, kind, placed);
      written.add(foldSpelling(placed.path), { id: instance.id, kind, placed });
    }
  }
  for (const { instance, inputs } of drafts) {
    for (const placed of inputs) check(instance.id, instance.stage, 'input', placed);
  }
  return problems;
}

function fixOfWritten(isOwn: boolean): string {
  return isOwn
    ? 'Give each a name of its own: one would replace the other.'
    : 'Give each a name of its own: two stages would delete each other’s work.';
}

function fixOfInput(input: PlacedPath, other: WrittenPath, isOwn: boolean): string {
  // An input may be a folder that contains resume folders of other stages.
  const isInside = relatePaths(foldSpelling(other.placed.path), foldSpelling(input.path)) === 'inside';
  if (other.kind === 'resume path' && (isOwn || !isInside)) {
    return 'A stage cannot read a folder that comes and goes during a run.';
  }
  return isOwn ? 'A stage that changes its own input would never be up to date.' : 'Spell both alike.';
}

/**
 * The same for all spellings that such a disk takes for one. In small letters alone, letters with more than one small form stay apart: σ and ς,
 * s and ſ.
 */
export function foldSpelling(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
