import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const unknownVersion = 'unknown';

/** `@scope/name/file.js` -> `@scope/name`. */
export function packageNameOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/**
 * The versions of packages and of everything they need, as fixed by package-lock.json.
 *
 * @returns name -> version; if several versions of one package are needed, all of them, joined by ` + `
 */
export function listLockedPackages(
  projectRoot: string,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const versions = new Map<string, string[]>();
  for (const { name, entry } of walkLocked(readLock(projectRoot), names)) {
    const version =
      entry === null
        ? readUnlockedVersion(projectRoot, name)
        : (entry.version ?? entry.resolved ?? unknownVersion);
    versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  return Object.fromEntries(
    [...versions]
      .sort(([a], [b]) => compareCodeUnits(a, b))
      .map(([name, found]) => [name, [...new Set(found)].sort(compareCodeUnits).join(' + ')]),
  );
}

/**
 * The versions of packages, and of everything they need, that are installed where package-lock.json has them. What is not below the
 * project's node_modules (another package manager's, a workspace, a package left out on this platform) is not judged.
 *
 * @returns folder relative to the project -> installed version
 * @throws {ReproError} `packages-differ` if one is not the locked one
 */
export function readInstalledPackages(
  projectRoot: string,
  names: readonly string[],
  where: string,
): Readonly<Record<string, string>> {
  const versions: Record<string, string> = {};
  const differing: string[] = [];
  for (const { name, key, entry } of walkLocked(readLock(projectRoot), names)) {
    if (!key.includes('node_modules/') || entry?.version === undefined) continue;
    const installed = readVersion(path.join(projectRoot, key));
    if (installed === undefined || installed === unknownVersion) continue;
    versions[key] = installed;
    if (installed === entry.version) continue;
    differing.push(`${key} is ${name} ${installed}, package-lock.json has ${entry.version}`);
  }
  const [first, ...more] = differing.sort(compareCodeUnits);
  if (first === undefined) return versions;
  const rest = more.length === 0 ? '' : `, and ${more.length} more packages differ`;
  throw new ReproError(
    'packages-differ',
    `${first}${rest}: the result would be recorded under versions that it was not made with.`,
    { where, fix: 'Install what package-lock.json lists: npm ci' },
  );
}

/** The first of these folders that no longer has the version that {@link readInstalledPackages} found; undefined: all have. */
export function findReplacedPackage(
  projectRoot: string,
  versions: Readonly<Record<string, string>>,
): string | undefined {
  return Object.keys(versions).find((key) => readVersion(path.join(projectRoot, key)) !== versions[key]);
}

interface FoundPackage {
  readonly name: string;
  /** Its place in the lock file: `node_modules/a`. */
  readonly key: string;
  /** null for what the project imports and the lock file does not know. */
  readonly entry: LockedPackage | null;
}

/** Packages and everything they need, each place in the lock file once. */
function* walkLocked(lock: Lock, names: readonly string[]): Generator<FoundPackage> {
  const visited = new Set<string>();
  const pending = names.map((name) => ({ name, from: '' }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { name, from } = next;
    const key = findLocked(lock, name, from);
    const entry = lock[key] ?? null;
    // Packages missing from package-lock.json (no lock file, a linked folder) count by their installed version.
    if (visited.has(key) || (entry === null && from !== '')) continue;
    visited.add(key);
    yield { name, key, entry };
    const { dependencies, optionalDependencies, peerDependencies } = entry ?? {};
    const needed = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    for (const one of Object.keys(needed)) pending.push({ name: one, from: key });
  }
}

type Lock = Readonly<Record<string, LockedPackage>>;

function readLock(projectRoot: string): Lock {
  try {
    const text = readFileSync(path.join(projectRoot, 'package-lock.json'), 'utf8');
    const lock = JSON.parse(text) as { packages?: Lock };
    return lock.packages ?? {};
  } catch {
    return {};
  }
}

/** Like Node: in the node_modules of the importing package, then of each folder above it. @returns a key, also if there is none */
function findLocked(lock: Lock, name: string, from: string): string {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const key = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const entry = lock[key];
    if (entry?.link === true && entry.resolved !== undefined && entry.resolved in lock) return entry.resolved;
    if (entry !== undefined || folder === '') return key;
  }
}

function readUnlockedVersion(projectRoot: string, name: string): string {
  const version = readVersion(path.join(projectRoot, 'node_modules', name));
  return version === undefined ? 'not installed' : `${version} (not locked)`;
}

function readVersion(folder: string): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
      version?: string;
    };
    return manifest.version ?? unknownVersion;
  } catch {
    return undefined;
  }
}
