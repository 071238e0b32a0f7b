/** One line of strace's output: a system call that has returned. */
export interface SystemCall {
  readonly pid: number;
  readonly name: string;
  readonly arguments: readonly string[];
  /** Null if it never returned. */
  readonly result: number | null;
  /** What a descriptor that it returned stands for, as strace writes it. */
  readonly resultPath: string | null;
  /** Whether this is only its beginning: other processes act before it returns. */
  readonly isUnfinished: boolean;
}

/** Lines of a trace, which can be longer than memory. */
export type Lines = Iterable<string> | AsyncIterable<string>;

/**
 * Reads the output of `strace -f -y -o FILE`, in which calls of several processes interrupt each other:
 * `12 openat(AT_FDCWD</p>, "a", O_RDONLY <unfinished ...>` and later `12 <... openat resumed>) = 3</p/a>`.
 *
 * @yields an interrupted call twice: where it begins and where it returns. Other lines (signals, ends) are skipped.
 */
export async function* readSystemCalls(lines: Lines): AsyncGenerator<SystemCall> {
  const begun = new Map<string, string>();
  for await (const line of lines) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/s.exec(line) ?? [];
    if (pid === '') continue;
    const beginning = /^(.*?)\s*<unfinished \.\.\.>$/s.exec(rest)?.[1];
    if (beginning !== undefined) {
      begun.set(pid, beginning);
      const call = parseCall(pid, `${beginning}) = ?`);
      if (call !== null) yield { ...call, isUnfinished: true };
      continue;
    }
    const end = /^<\.\.\. \w+ resumed>(.*)$/s.exec(rest)?.[1];
    const call = parseCall(pid, end === undefined ? rest : `${begun.get(pid) ?? ''}${end}`);
    if (end !== undefined) begun.delete(pid);
    if (call !== null) yield call;
  }
}

function parseCall(pid: string, text: string): SystemCall | null {
  // Greedy: a path may contain what looks like the end.
  const match = /^(\w+)\((.*)\)\s+= (-?\d+|\?)(?:<([^>]*)>)?/s.exec(text);
  if (match === null) return null;
  const [, name = '', list = '', result = '', resultPath] = match;
  return {
    pid: Number(pid),
    name,
    arguments: splitArguments(list),
    result: result === '?' ? null : Number(result),
    resultPath: resultPath ?? null,
    isUnfinished: false,
  };
}

/** Splits at commas that are in no string, path, list or structure. */
function splitArguments(list: string): string[] {
  const found: string[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i < list.length; i += 1) {
    const character = list[i];
    if (character === '"') i = endOfString(list, i);
    // `3</p>`; strace escapes what could end it earlier. A lone `<` is an operator of flags.
    else if (character === '<' && /[\dD]/.test(list[i - 1] ?? '')) i = endOfPath(list, i);
    else if (character === '{' || character === '[' || character === '(') depth += 1;
    else if (character === '}' || character === ']' || character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      found.push(list.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = list.slice(start).trim();
  return last === '' && found.length === 0 ? [] : [...found, last];
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
  return text.length;
}

function endOfPath(text: string, start: number): number {
  const end = text.indexOf('>', start);
  return end === -1 ? text.length : end;
}

/** The string in a quoted argument; null for anything else, such as `NULL` or an address. */
export function readString(argument: string | undefined): string | null {
  const quoted = /^"(.*)"(\.\.\.)?$/s.exec(argument ?? '')?.[1];
  return quoted === undefined ? null : decodeEscapes(quoted);
}

/** The path in `3</p>` or `AT_FDCWD</p>`; null for anything but a descriptor of a file (`<pipe:[1]>`). */
export function readDescriptor(argument: string | undefined): string | null {
  const path = /^(?:-?\d+|AT_FDCWD)<(.*)>/s.exec(argument ?? '')?.[1];
  return path?.startsWith('/') ? decodeEscapes(path) : null;
}

const letters: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8, e: 27 };

/** Strace writes bytes: `\303\251` is é. Names that are not UTF-8 get replacement characters. */
export function decodeEscapes(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes: Buffer[] = [];
  for (const [part, escaped] of text.matchAll(/\\([0-7]{1,3}|x[0-9a-f]{2}|.)|[^\\]+/gs)) {
    if (escaped === undefined) bytes.push(Buffer.from(part));
    else if (/^[0-7]/.test(escaped)) bytes.push(Buffer.from([Number.parseInt(escaped, 8) & 255]));
    else if (/^x./.test(escaped)) bytes.push(Buffer.from([Number.parseInt(escaped.slice(1), 16)]));
    else bytes.push(letters[escaped] === undefined ? Buffer.from(escaped) : Buffer.from([letters[escaped]]));
  }
  return Buffer.concat(bytes).toString('utf8');
}
