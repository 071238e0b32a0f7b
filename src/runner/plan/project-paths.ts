import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hasErrorCode } from '../../base/errors.ts';
import { isBelow } from '../../base/files/folders.ts';

/** A path in the project's own form, or what is wrong with it (follows `output "x" `). */
type CheckedPath = { readonly path: string } | { readonly fault: PathFault };

export interface PathFault {
  readonly message: string;
  readonly fix?: string;
  /** Set if the only fault is that the path lies outside the project. */
  readonly leaves?: true;
  /** The link through which it does. */
  readonly link?: PathLink;
}

export interface PathLink {
  readonly path: string;
  readonly target: string;
}

type FoundLink = PathLink & { readonly leaves: boolean };

type PathKind = 'file' | 'folder' | 'missing';

/** Normalises the paths of one project and remembers what it has learned about the disk. */
export class ProjectPaths {
  readonly root: string;
  readonly #realRoot: string;
  readonly #links = new Map<string, FoundLink | undefined>([['', undefined]]);

  constructor(root: string) {
    this.root = path.resolve(root);
    this.#realRoot = realpathSync(this.root);
  }

  /** Relative to the project, with `/`, without `.` or `..`. An external path may lie outside; it is then absolute, and `~/` is the home folder. */
  check(text: string, { external = false }: { readonly external?: boolean } = {}): CheckedPath {
    const refusal = refuseText(text);
    if (refusal !== undefined) return { fault: refusal };
    const written = external && (text === '~' || text.startsWith('~/')) ? os.homedir() + text.slice(1) : text;
    const absolute = path.resolve(this.root, written);
    const relative = this.#relativeOf(absolute);
    const refuse = (message: string, more: Partial<PathFault> = {}) => ({ fault: { message, ...more } });
    if (relative === '') return refuse('is the whole project.', { fix: 'Name a folder inside it.' });
    if (relative === undefined) {
      if (!external) return refuse('leaves the project.', { leaves: true });
      const contains = isBelow(this.root, absolute) || isBelow(this.#realRoot, absolute);
      return contains ? refuse('contains the project itself.') : { path: absolute };
    }
    if (external) return { path: relative };
    if (path.isAbsolute(text)) return refuse('is absolute.', { fix: `Write "${relative}".` });
    const link = this.linkOn(relative);
    if (link?.leaves !== true) return { path: relative };
    return refuse(`leaves the project through the link "${link.path}" to "${link.target}".`, {
      leaves: true,
      link,
    });
  }

  kindOf(relative: string): PathKind {
    const stats = statFollowed(this.absolute(relative));
    return stats === undefined ? 'missing' : stats.isDirectory() ? 'folder' : 'file';
  }

  /**
   * The first symbolic link on the way to a path (relative to the project, normalised), itself included; but one that leads out of the
   * project rather than one that does not.
   */
  linkOn(relative: string): FoundLink | undefined {
    if (this.#links.has(relative)) return this.#links.get(relative);
    const slash = relative.lastIndexOf('/');
    const before = this.linkOn(slash === -1 ? '' : relative.slice(0, slash));
    const own = before?.leaves === true ? undefined : this.#readLink(relative);
    const link = own?.leaves === true ? own : (before ?? own);
    this.#links.set(relative, link);
    return link;
  }

  absolute(relative: string): string {
    return path.resolve(this.root, relative);
  }

  #relativeOf(absolute: string): string | undefined {
    for (const root of [this.root, this.#realRoot]) {
      if (absolute === root) return '';
      if (isBelow(absolute, root)) return absolute.slice(root === '/' ? 1 : root.length + 1);
    }
    return undefined;
  }

  #readLink(relative: string): FoundLink | undefined {
    const absolute = this.absolute(relative);
    if (lstatSync(absolute, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
    const leadsNowhere = statFollowed(absolute) === undefined;
    const target = leadsNowhere
      ? path.resolve(path.dirname(absolute), readlinkSync(absolute))
      : realpathSync(absolute);
    return { path: relative, target, leaves: this.#relativeOf(target) === undefined };
  }
}

function statFollowed(absolute: string): Stats | undefined {
  try {
    return statSync(absolute, { throwIfNoEntry: false });
  } catch (error) {
    if (hasErrorCode(error, 'ELOOP', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function refuseText(text: string): PathFault | undefined {
  if (text.trim() === '') return { message: 'is empty.' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return { message: 'contains a control character.' };
  if (text.includes('\\')) return { message: 'contains a backslash.', fix: 'Separate folders with "/".' };
  if (!text.includes('*')) return undefined;
  const fix = 'Name the folder: it includes everything inside.';
  return { message: 'contains "*"; patterns are not expanded.', fix };
}

/**
 * Values by path, looked up by how paths relate: one inside, equal to, or around another, folder by folder
 * (`a/b` is inside `a`, `ab` is not). A lookup takes time proportional to the path's depth and the number of results.
 */
export class PathTrie<Value> {
  readonly #at = new Map<string, Value[]>();
  readonly #below = new Map<string, Value[]>();

  add(path: string, value: Value): void {
    push(this.#at, path, value);
    for (const folder of foldersOf(path)) push(this.#below, folder, value);
  }

  /** The values of every path that contains this one, equals it, or lies inside it, in this order. */
  related(path: string): readonly Value[] {
    return [
      ...[...foldersOf(path), path].flatMap((one) => this.#at.get(one) ?? []),
      ...(this.#below.get(path) ?? []),
    ];
  }
}

function push<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** `a`, `a/b` for `a/b/c`. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
    folders.push(path.slice(0, end));
  }
  return folders;
}

type PathRelation = 'equal' | 'inside' | 'around' | 'apart';

export function relatePaths(path: string, other: string): PathRelation {
  if (path === other) return 'equal';
  if (path.startsWith(`${other}/`)) return 'inside';
  return other.startsWith(`${path}/`) ? 'around' : 'apart';
}
