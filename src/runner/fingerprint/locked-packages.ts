import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compareCodeUnits } from '../canonical-json.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** `@scope/name/file.js` -> `@scope/name`. */
export function packageNameOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/**
 * The versions of packages and of everything they need, as fixed by package-lock.json.
 *
 * @param names packages that the project's own code imports
 * @returns name -> version; if several versions of one package are needed, all of them, joined by ` + `
 */
export function listLockedPackages(
  projectRoot: string,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const lock = readLock(projectRoot);
  const versions = new Map<string, Set<string>>();
  const visited = new Set<string>();
  const pending = names.map((name) => ({ name, from: '' }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const key = findLocked(lock, next.name, next.from);
    const entry = key === undefined ? undefined : lock[key];
    // Packages missing from package-lock.json (no lock file, a linked folder) count by their installed version.
    if (key === undefined || entry === undefined) {
      if (next.from === '') addVersion(versions, next.name, readInstalledVersion(projectRoot, next.name));
      continue;
    }
    if (visited.has(key)) continue;
    visited.add(key);
    addVersion(versions, next.name, entry.version ?? `${entry.resolved ?? 'unknown'}`);
    for (const name of Object.keys({
      ...entry.dependencies,
      ...entry.optionalDependencies,
      ...entry.peerDependencies,
    })) {
      pending.push({ name, from: key });
    }
  }
  return Object.fromEntries(
    [...versions]
      .sort(([a], [b]) => compareCodeUnits(a, b))
      .map(([name, found]) => [name, [...found].sort(compareCodeUnits).join(' + ')]),
  );
}

function addVersion(versions: Map<string, Set<string>>, name: string, version: string): void {
  const known = versions.get(name);
  if (known === undefined) versions.set(name, new Set([version]));
  else known.add(version);
}

function readLock(projectRoot: string): Readonly<Record<string, LockedPackage>> {
  try {
    const lock = JSON.parse(readFileSync(path.join(projectRoot, 'package-lock.json'), 'utf8')) as {
      packages?: Record<string, LockedPackage>;
    };
    const packages = lock.packages ?? {};
    return packages;
  } catch {
    return {};
  }
}

/** Like Node: in the node_modules of the importing package, then of each folder above it. */
function findLocked(
  lock: Readonly<Record<string, LockedPackage>>,
  name: string,
  from: string,
): string | undefined {
  for (let folder = from; ; folder = parentOf(folder)) {
    const key = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const entry = lock[key];
    if (entry?.link === true && entry.resolved !== undefined && entry.resolved in lock) return entry.resolved;
    if (entry !== undefined) return key;
    if (folder === '') return undefined;
  }
}

function parentOf(folder: string): string {
  const cut = folder.lastIndexOf('/node_modules/');
  return cut === -1 ? '' : folder.slice(0, cut);
}

function readInstalledVersion(projectRoot: string, name: string): string {
  try {
    const file = path.join(projectRoot, 'node_modules', name, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
    return `${manifest.version ?? 'unknown'} (not locked)`;
  } catch {
    return 'not installed';
  }
}
