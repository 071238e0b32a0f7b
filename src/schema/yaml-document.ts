import type { Document, YAMLError } from 'yaml';
import { hasErrorCode, ReproError } from '../errors.ts';
import { readRegularSync } from '../files/regular-file.ts';
import { getOwn, type Json, type JsonPath } from './json.ts';
import { ConfigurationError, type SourcePosition } from './problems.ts';
import { nameOfPath, type Places, type ReadNodes, readNodes } from './yaml-nodes.ts';

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
  return parseYaml(readTextFile(absolutePath, file), file);
}

/** The text of a UTF-8 file, without its byte order mark. */
export function readTextFile(absolutePath: string, file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readRegularSync(absolutePath);
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
  return new ParsedDocument(file, text, await parseNodes(text, file));
}

async function parseNodes(text: string, file: string): Promise<ReadNodes> {
  const yaml = await import('yaml');
  // Duplicate keys are found in readNodes: the parser's own search takes quadratic time.
  const document = yaml.parseDocument(text, { prettyErrors: false, uniqueKeys: false });
  const lines = new Lines(text);
  const positionAt = (offset: number): SourcePosition => ({ file, ...lines.positionAt(offset) });

  const [failure] = [...document.errors, ...document.warnings];
  if (failure !== undefined) {
    const at = positionAt(failure.pos[0]);
    const line = text.split('\n', at.line)[at.line - 1] ?? '';
    throw new ConfigurationError([{ at, message: describeSyntax(failure), fix: fixSyntax(failure, line) }]);
  }
  const root = document.contents;
  if (root === null || (yaml.isScalar(root) && root.value === null)) {
    throw new ConfigurationError([{ at: positionAt(0), message: 'the file is empty.' }]);
  }

  const nodes = readNodes(yaml, root);
  const { faults } = nodes;
  if (faults.length === 0) {
    refuseAliasBomb(document, positionAt(0));
    return nodes;
  }
  throw new ConfigurationError(
    faults.map(({ offset, firstOffset, message, fix }) => {
      const { line, column } = positionAt(firstOffset ?? 0);
      const first = `The first one is on line ${line}, column ${column}.`;
      return { at: positionAt(offset), message, fix: firstOffset === undefined ? fix : first };
    }),
  );
}

/** Ten lines of aliases of aliases unfold to billions of values, which whatever reads the document would visit. */
function refuseAliasBomb(document: Document.Parsed, at: SourcePosition): void {
  try {
    // Aliases share their values, so this is quick; the parser counts what they unfold to.
    document.toJS();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError([{ at, message: `its aliases repeat too much: ${text}.` }]);
  }
}

class ParsedDocument implements YamlDocument {
  readonly file: string;
  readonly value: Json;
  readonly #text: string;
  readonly #readPlaces: () => Places;
  readonly #lines: Lines;
  #places: Places | null = null;

  constructor(file: string, text: string, { value, places }: ReadNodes) {
    this.file = file;
    this.value = value;
    this.#text = text;
    this.#readPlaces = places;
    this.#lines = new Lines(text);
  }

  positionOf(path: JsonPath, part: 'key' | 'value' = 'value'): SourcePosition {
    return { file: this.file, ...this.#lines.positionAt(this.#offsetOf(path, part)) };
  }

  positionIn(path: JsonPath, fragment: string): SourcePosition {
    const start = this.#offsetOf(path, 'value');
    const lineEnd = this.#text.indexOf('\n', start);
    const line = this.#text.slice(start, lineEnd === -1 ? undefined : lineEnd);
    return { file: this.file, ...this.#lines.positionAt(start + Math.max(0, line.indexOf(fragment))) };
  }

  #offsetOf(path: JsonPath, part: 'key' | 'value'): number {
    this.#places ??= this.#readPlaces();
    const place = getOwn(this.#places, nameOfPath(path));
    if (place !== undefined) return place[part === 'key' ? 0 : 1];
    return path.length === 0 ? 0 : this.#offsetOf(path.slice(0, -1), 'value');
  }
}

/** Finds line and column, both from 1, of an offset in a text. */
class Lines {
  readonly #starts = [0];

  constructor(text: string) {
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
      this.#starts.push(end + 1);
    }
  }

  positionAt(offset: number): { readonly line: number; readonly column: number } {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

function describeSyntax({ code, message }: YAMLError): string {
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
  return `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
}
