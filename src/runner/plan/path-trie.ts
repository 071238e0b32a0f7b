interface Branch<Value> {
  /** null while there is none: most paths are leaves, and an empty map takes 200 bytes. */
  children: Map<string, Branch<Value>> | null;
  readonly values: Value[];
}

/**
 * Values by path, looked up by how paths relate: one inside, equal to, or around another, folder by folder
 * (`a/b` is inside `a`, `ab` is not). A lookup takes time proportional to the path's length and the number of results.
 */
export class PathTrie<Value> {
  readonly #root: Branch<Value> = { children: null, values: [] };

  add(path: string, value: Value): void {
    let branch = this.#root;
    for (const name of path.split('/')) {
      branch.children ??= new Map();
      let child = branch.children.get(name);
      if (child === undefined) {
        child = { children: null, values: [] };
        branch.children.set(name, child);
      }
      branch = child;
    }
    branch.values.push(value);
  }

  /** The values of every path that contains this one, equals it, or lies inside it, in this order. */
  *related(path: string): Generator<Value, void, undefined> {
    let branch: Branch<Value> | undefined = this.#root;
    for (const name of path.split('/')) {
      yield* branch.values;
      branch = branch.children?.get(name);
      if (branch === undefined) return;
    }
    const waiting = [branch];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      yield* next.values;
      if (next.children !== null) waiting.push(...[...next.children.values()].reverse());
    }
  }
}

export type PathRelation = 'equal' | 'inside' | 'around' | 'apart';

export function relatePaths(path: string, other: string): PathRelation {
  if (path === other) return 'equal';
  if (path.startsWith(`${other}/`)) return 'inside';
  return other.startsWith(`${path}/`) ? 'around' : 'apart';
}
