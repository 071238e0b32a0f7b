import type { Document, YAMLError } from 'yaml';

/** A list or mapping in brackets that does not end with one. */
export interface UnclosedCollection {
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
    fix: 'If it goes on over several lines, indent all of them, the last one with its bracket too, more than its key.',
  };
}
