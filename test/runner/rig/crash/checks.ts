import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { hashText } from '../../../../src/base/files/canonical-json.ts';
import { digestTree, type Tree } from '../../../../src/runner/store/digest.ts';
import { isRunRecord, type RunRecord } from '../../../../src/runner/store/records.ts';
import { expectedFiles, outputsOf } from './project.ts';

/** The files at or below a path: path relative to the project -> content; empty if it does not exist. */
export function readOutput(root: string, output: string): Record<string, string> {
  const absolute = path.join(root, output);
  if (!existsSync(absolute)) return {};
  if (statSync(absolute).isFile()) return { [output]: readFileSync(absolute, 'utf8') };
  return Object.fromEntries(
    filesBelow(absolute).map((file) => [path.relative(root, file), readFileSync(file, 'utf8')]),
  );
}

export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Every output of the project. */
export function readOutputs(root: string): Record<string, string> {
  return Object.assign(
    {},
    ...Object.values(outputsOf)
      .flat()
      .map((output) => readOutput(root, output)),
  );
}

/** The outputs that are neither absent nor exactly what some version makes. */
export function findPartialOutputs(root: string, versions: readonly number[]): string[] {
  const isWhole = (output: string): boolean => {
    const found = JSON.stringify(Object.entries(readOutput(root, output)).sort());
    if (found === '[]') return !existsSync(path.join(root, output));
    return versions.some((version) => found === JSON.stringify(belowOf(expectedFiles(version), output)));
  };
  return Object.values(outputsOf)
    .flat()
    .filter((output) => !isWhole(output));
}

function belowOf(files: Readonly<Record<string, string>>, output: string): [string, string][] {
  return Object.entries(files)
    .filter(([file]) => file === output || file.startsWith(`${output}/`))
    .sort();
}

/**
 * What is wrong with the records: one that cannot be read, or whose outputs are not in the store, to the byte. Also checked are all
 * objects and lists of the store: each has the content that its name says.
 */
export function findInconsistencies(root: string): string[] {
  const cache = path.join(root, 'artifacts/.cache');
  const objectOf = (sha256: string): string => path.join(cache, 'store/files', sha256.slice(0, 2), sha256);
  const treeFileOf = (digest: string): string =>
    path.join(cache, 'store/trees', digest.slice(0, 2), `${digest}.json`);
  const problems: string[] = [];
  for (const file of storedFiles(cache, 'store/files')) {
    if (hashText(readFileSync(file)) !== path.basename(file)) problems.push(`${file} has other content`);
  }
  for (const file of storedFiles(cache, 'store/trees')) {
    const tree = parse(file) as Tree | null;
    if (tree === null || `${digestTree(tree)}.json` !== path.basename(file))
      problems.push(`${file} is damaged`);
  }
  for (const file of recordFiles(root)) {
    const record = parse(file);
    if (!isRunRecord(record)) {
      problems.push(`${file} is not a record`);
      continue;
    }
    for (const { kind, digest, path: output } of record.outputs) {
      const tree =
        kind === 'file' ? { entries: [{ sha256: digest }] } : (parse(treeFileOf(digest)) as Tree | null);
      const isStored = tree?.entries.every(({ sha256 }) => existsSync(objectOf(sha256)));
      if (isStored !== true) problems.push(`${file}: the store has not all of ${output}`);
    }
  }
  return problems;
}

/** The instances whose work for a version is recorded. */
export function findRecorded(root: string, version: number): string[] {
  const isOfVersion = (record: RunRecord): boolean => {
    const [input] = record.parts.inputs;
    if (record.parts.params.version !== undefined) return record.parts.params.version === version;
    // What has no parameter is of the version of what it read.
    return input !== undefined && expectedInput(version, record.id) === readRecorded(root, record);
  };
  const records = recordFiles(root, 'actions').map(parse).filter(isRunRecord).filter(isOfVersion);
  return [...new Set(records.map(({ id }) => id))].sort();
}

function expectedInput(version: number, id: string): string | undefined {
  return expectedFiles(version)[outputsOf[id]?.[0] ?? ''];
}

function readRecorded(root: string, record: RunRecord): string | undefined {
  const sha256 = record.outputs[0]?.digest ?? '';
  const object = path.join(root, 'artifacts/.cache/store/files', sha256.slice(0, 2), sha256);
  return existsSync(object) ? readFileSync(object, 'utf8') : undefined;
}

function recordFiles(root: string, ...folders: readonly string[]): string[] {
  const cache = path.join(root, 'artifacts/.cache');
  return (folders.length === 0 ? ['records', 'actions'] : folders).flatMap((one) => storedFiles(cache, one));
}

/** Without what a killed process left under a name that nothing reads. */
function storedFiles(cache: string, folder: string): string[] {
  return filesBelow(path.join(cache, folder)).filter((file) => !file.endsWith('.partial'));
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Everything set aside, without the name of the day: `1/artifacts/file` -> content, or the target of a link. */
export function listAside(root: string): Record<string, string> {
  const folder = path.join(root, 'artifacts/.set-aside');
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter(
    (entry) => !entry.isDirectory(),
  );
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const absolute = path.join(parentPath, name);
      const content = lstatSync(absolute).isSymbolicLink()
        ? readlinkSync(absolute)
        : readFileSync(absolute, 'utf8');
      return [path.relative(folder, absolute).replace(/^\d{4}-\d\d-\d\d-/, ''), content];
    }),
  );
}
