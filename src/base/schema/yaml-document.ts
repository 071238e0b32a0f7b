import type { Document, Scalar, YAMLError } from 'yaml';
import { hasErrorCode, messageOf, ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';
import type { Json, JsonPath } from './json.ts';
import { ConfigurationError, type Problem, type SourcePosition, throwProblems } from './problems.ts';

/** A YAML file as plain JSON values, with the position of each. */
export interface YamlDocument {
  /** The file's name in messages. */
  readonly file: string;
  readonly value: Json;
  /**
   * Where the value at a path (or, with `key`, its key) is written; a missing value has the position of
   * the nearest mapping or list around it.
   */
  positionOf(path: JsonPath, part?: 'key' | 'value'): SourcePosition;
  /** Like `positionOf` for a string, but of the first `fragment` inside it. */
  positionIn(path: JsonPath, fragment: string): SourcePosition;
}

/**
 * Reads a YAML file with one document.
 *
 * @param absolutePath the file
 * @param file its name in messages
 * @throws {ReproError} if it cannot be read or is not UTF-8
 * @throws {ConfigurationError} if it is not YAML, is empty, or contains what JSON cannot represent
 */
export async function readYamlFile(absolutePath: string, file: string): Promise<YamlDocument> {
  return parseYaml(await readTextFile(absolutePath, file), file);
}

/** The text of a UTF-8 file, without its byte order mark. */
export async function readTextFile(absolutePath: string, file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readRegular(absolutePath);
  } catch (cause) {
    throw new ReproError('unreadable', describeReadFailure(cause), { where: file, cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ReproError('configuration', 'is not UTF-8 text.', {
      where: file,
      fix: 'Save the file as UTF-8.',
      cause,
    });
  }
}

/** Parses the text of one YAML 1.2 document; merge keys (`<<`) work, as most people expect. */
export async function parseYaml(text: string, file: string): Promise<YamlDocument> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const parsed = yaml.parseDocument(text, {
    prettyErrors: false,
    lineCounter: lines,
    merge: true,
    stringKeys: true,
  });
  const positionAt = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const [failure] = [...parsed.errors, ...parsed.warnings];
  if (failure !== undefined) {
    const at = positionAt(failure.pos[0]);
    const line = text.split('\n', at.line)[at.line - 1] ?? '';
    throw new ConfigurationError([{ at, message: describeSyntax(failure), fix: fixSyntax(failure, line) }]);
  }
  const root = parsed.contents;
  if (root === null || (yaml.isScalar(root) && root.value === null)) {
    throw new ConfigurationError([{ at: positionAt(0), message: 'the file is empty.' }]);
  }
  throwProblems(
    findUnrepresentable(yaml, parsed).map(({ node, ...problem }) => ({
      at: positionAt(offsetOf(node)),
      ...problem,
    })),
  );
  let value: Json;
  try {
    value = parsed.toJS();
  } catch (cause) {
    // Ten lines of aliases of aliases would unfold to billions of values: the parser counts them.
    const message = `not YAML: ${messageOf(cause)}.`;
    throw new ConfigurationError([{ at: positionAt(0), message }]);
  }
  const findEntry = entryFinder(yaml, parsed);
  const offsetAt = (path: JsonPath, part: 'key' | 'value'): number => {
    let nodes: readonly unknown[] = [root, root];
    for (const step of path) {
      const found = findEntry(nodes[1], step);
      if (found === undefined) return offsetOf(nodes[1], nodes[0]);
      nodes = found;
    }
    return part === 'key' ? offsetOf(nodes[0]) : offsetOf(nodes[1], nodes[0]);
  };
  return {
    file,
    value,
    positionOf: (path, part = 'value') => positionAt(offsetAt(path, part)),
    positionIn: (path, fragment) => {
      const start = offsetAt(path, 'value');
      const [line = ''] = text.slice(start).split('\n', 1);
      return positionAt(start + Math.max(0, line.indexOf(fragment)));
    },
  };
}

type Yaml = typeof import('yaml');

/** The nodes of a document that JSON cannot represent, and why. */
function findUnrepresentable(
  yaml: Yaml,
  parsed: Document.Parsed,
): (Omit<Problem, 'at'> & { node: unknown })[] {
  const found: ReturnType<typeof findUnrepresentable> = [];
  // `yaml.visit` copies the way to each node, which takes a tenth as long as parsing.
  const check = (node: unknown, around: readonly unknown[]): void => {
    if (yaml.isPair(node)) for (const one of [node.key, node.value]) check(one, around);
    if (yaml.isCollection(node)) {
      const within = [...around, node];
      for (const item of node.items) check(item, within);
    }
    if (yaml.isScalar(node)) {
      const problem = describeScalar(node);
      if (problem !== null) found.push({ node, ...problem });
    }
    if (!yaml.isAlias(node)) return;
    const target = node.resolve(parsed);
    if (target === undefined)
      found.push({ node, message: `there is no anchor "&${node.source}" above this alias.` });
    else if (around.includes(target)) {
      const message = `the alias "*${node.source}" is inside the value it repeats, so it never ends.`;
      found.push({ node, message });
    }
  };
  check(parsed.contents, []);
  return found;
}

/** Finds key and value of an entry of a list or mapping, also through aliases and merge keys. */
function entryFinder(yaml: Yaml, parsed: Document.Parsed) {
  const follow = (node: unknown): unknown => (yaml.isAlias(node) ? node.resolve(parsed) : node);
  return function findEntry(container: unknown, step: string | number): readonly unknown[] | undefined {
    const node = follow(container);
    if (yaml.isSeq(node)) return typeof step === 'number' ? [node.items[step], node.items[step]] : undefined;
    if (!yaml.isMap(node)) return undefined;
    const nameOf = ({ key }: { readonly key: unknown }) => (yaml.isScalar(key) ? key.value : key);
    const own = node.items.find((pair) => nameOf(pair) === step);
    if (own !== undefined) return [own.key, own.value];
    const merged = node.items.filter(({ key }) => yaml.isScalar(key) && key.source === '<<');
    const sources = merged.map(({ value: source }) => follow(source));
    for (const source of sources.flatMap((one) => (yaml.isSeq(one) ? one.items : [one]))) {
      const found = findEntry(source, step);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** The offset of the first of these that has one: an empty value has none. */
function offsetOf(...nodes: readonly unknown[]): number {
  for (const node of nodes) {
    if (typeof node !== 'object' || node === null || !('range' in node)) continue;
    if (Array.isArray(node.range) && typeof node.range[0] === 'number') return node.range[0];
  }
  return 0;
}

/** What JSON cannot represent. */
function describeScalar({ value, source }: Scalar): Pick<Problem, 'message' | 'fix'> | null {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return { message: `${source ?? value} is not a finite number.` };
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return null;
    const message = `${source ?? value} is too large to be represented exactly.`;
    return { message, fix: 'Quote it if it is a name.' };
  }
  if (value === null || ['string', 'boolean', 'symbol'].includes(typeof value)) return null;
  return { message: 'is not a string, a number, true, false or null.' };
}

function describeSyntax({ code, message }: YAMLError): string {
  if (code === 'DUPLICATE_KEY') return 'this key appears twice.';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; a file may contain only one.';
  return `not YAML: ${message}.`;
}

function fixSyntax({ code }: YAMLError, line: string): string | undefined {
  if (code === 'TAB_AS_INDENT' || line.startsWith('\t')) return 'Indent with spaces.';
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the pipeline's own syntax
  if (line.includes('${')) return 'Quote every string that contains a reference: "${name}".';
  if (code === 'BAD_INDENT') return 'Close the brackets above, and indent what is in them.';
  return code === 'MULTILINE_IMPLICIT_KEY' || code === 'MISSING_CHAR' ? keyAdvice : undefined;
}

/** YAML reads `epochs:8`, `epochs 8` and a lone `train` as words. */
export const keyAdvice = 'After a key comes a colon, and a space before its value: "epochs: 8".';

function describeReadFailure(cause: unknown): string {
  if (hasErrorCode(cause, 'ENOENT')) return 'this file does not exist.';
  if (hasErrorCode(cause, 'EACCES')) return 'cannot be read: permission denied.';
  return `cannot be read: ${messageOf(cause)}`;
}
