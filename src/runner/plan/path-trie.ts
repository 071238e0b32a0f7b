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
