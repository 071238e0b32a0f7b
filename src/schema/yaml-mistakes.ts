import type { Document, YAMLError } from 'yaml';

/** What was probably meant by `epochs:8`, `epochs 8` or a lone `train`, which YAML reads as words. */
interface Entry {
  readonly key: string;
  readonly value: string | undefined;
  readonly missing: 'A space is missing after the colon' | 'A colon is missing';
}

/**
 * What to do about words where a mapping or a key belongs: `A space is missing after the colon: "epochs: 8".`
 *
 * @param text the words
 */
export function fixMissingColon(text: string): string | undefined {
  const entry = guessEntry(text.split('\n', 1)[0] ?? '');
  return entry?.value === undefined ? undefined : describeFix(entry);
}

/** A line whose key lacks its colon, or the space after it. */
interface MissingColon {
  /** Of the key. */
  readonly offset: number;
  readonly message: string;
  readonly fix: string;
}

/**
 * The line of a syntax error, if it only lacks a colon: the line of the error or the one above, since the parser often gives up one line
 * later. A guess counts only if it removes the error.
 *
 * @param failure the offset of the error
 * @param findFailure the offset of the first error in a text
 */
export function findMissingColon(
  text: string,
  failure: number,
  findFailure: (text: string) => number | undefined,
): MissingColon | undefined {
  const here = text.lastIndexOf('\n', failure - 1) + 1;
  for (const start of [here, startOfLineAbove(text, here)]) {
    const [line = ''] = text.slice(start).split('\n', 1);
    const entry = guessEntry(line);
    if (entry === undefined) continue;
    const offset = start + line.indexOf(entry.key);
    const mended = `${text.slice(0, offset)}${write(entry)}${text.slice(start + line.length)}`;
    const next = findFailure(mended);
    if (next !== undefined && next <= failure + mended.length - text.length) continue;
    return {
      offset,
      message: `not YAML: "${line.trim()}" is neither a key with a value nor a string.`,
      fix: describeFix(entry),
    };
  }
  return undefined;
}

/** The start of the nearest line above that is neither empty nor a comment, or of the first line. */
function startOfLineAbove(text: string, start: number): number {
  let above = start;
  while (above > 0) {
    const end = above - 1;
    above = text.lastIndexOf('\n', end - 1) + 1;
    if (!/^\s*(?:#|$)/.test(text.slice(above, end))) break;
  }
  return above;
}

function guessEntry(line: string): Entry | undefined {
  // A slash after the colon is excluded: an address such as https://… is intended.
  const [, key, value] = /^\s*(?:- )?([A-Za-z_][\w-]*):([^\s:/].*)$/.exec(line) ?? [];
  if (key !== undefined) return { key, value: value?.trim(), missing: 'A space is missing after the colon' };
  const [, word, rest] = /^\s*(?:- )?([A-Za-z_][\w-]*)(?:\s+([^\s:#][^:#]*))?\s*(?:#.*)?$/.exec(line) ?? [];
  return word === undefined ? undefined : { key: word, value: rest?.trim(), missing: 'A colon is missing' };
}

function write({ key, value }: Entry): string {
  return value === undefined ? `${key}:` : `${key}: ${value}`;
}

function describeFix(entry: Entry): string {
  return `${entry.missing}: "${write(entry)}".`;
}

/** A list or mapping in brackets that does not end with one. */
interface UnclosedCollection {
  /** Of its opening bracket. */
  readonly offset: number;
  readonly message: string;
  readonly fix: string;
}

/**
 * The innermost list or mapping that a syntax error says is not closed: the parser reports where it gave up, which may be lines below.
 *
 * @returns undefined if the error is about something else
 */
export function findUnclosedCollection(
  yaml: Pick<typeof import('yaml'), 'isSeq' | 'visit'>,
  document: Document.Parsed,
  failure: YAMLError,
): UnclosedCollection | undefined {
  const [, kind, bracket] = /^Flow (sequence|map)\b.* end with a ([\]}])$/.exec(failure.message) ?? [];
  if (kind === undefined || bracket === undefined) return undefined;
  let offset: number | undefined;
  yaml.visit(document, {
    Collection: (_, node) => {
      const isKind = node.flow === true && yaml.isSeq(node) === (kind === 'sequence');
      // Where several end, the parser complains about the innermost first, which is visited last.
      if (isKind && node.range?.[1] === failure.pos[0]) offset = node.range[0];
    },
  });
  if (offset === undefined) return undefined;
  return {
    offset,
    message: `not YAML: the closing ${bracket} of the ${kind === 'sequence' ? 'list' : 'mapping'} that begins here is missing.`,
    fix: 'If it has several lines, indent all of them more than its key, including the one with the closing bracket.',
  };
}
