import type { Json } from '../../schema/json.ts';
import { show } from '../../schema/schema-messages.ts';
import type { Combination } from './matrix.ts';
import type { ClusterRequest } from './plan.ts';
import { type Parsed, parseCount, ScalarReader } from './resources.ts';
import type { StageReader } from './stage-reader.ts';

/** Options of sbatch for which there is a key: the runner has to know the value, and writes the option itself. */
const keysOfFlags: Readonly<Record<string, string>> = {
  account: 'account',
  constraint: 'constraint',
  'cpus-per-task': 'cpu',
  mem: 'memory',
  'mem-per-cpu': 'memory',
  'mem-per-gpu': 'memory',
  partition: 'partition',
  qos: 'qos',
  time: 'time',
};

/** Options of sbatch that the runner sets itself: each contradicts what it needs to know about its jobs. */
const ownFlags: ReadonlySet<string> = new Set([
  'array',
  'chdir',
  'cluster',
  'clusters',
  'comment',
  'dependency',
  'error',
  'export',
  'export-file',
  'job-name',
  'kill-on-invalid-dep',
  'no-requeue',
  'nodes',
  'ntasks',
  'open-mode',
  'output',
  'parsable',
  'requeue',
  'signal',
  'test-only',
  'wait',
  'wrap',
]);

export function readClusterRequest(
  reader: StageReader,
  combination: Combination,
): ClusterRequest | undefined {
  const { executor, resources = {} } = reader.entry;
  const values = new ScalarReader(reader, combination);
  const text = (key: 'partition' | 'account' | 'qos' | 'constraint') =>
    values.read(resources[key], ['resources', key], (value) => parseWord(key, value), undefined);
  const limit = values.read(
    resources.arrayLimit,
    ['resources', 'arrayLimit'],
    (value) => parseCount('arrayLimit', value, 1),
    undefined,
  );
  const flags = (resources.flags ?? []).map((flag, index) =>
    values.read(flag, ['resources', 'flags', index], parseFlag, ''),
  );
  const request = {
    staysLocal: executor === 'local',
    hasOwnMemory: resources.memory !== undefined,
    ...named('partition', text('partition')),
    ...named('account', text('account')),
    ...named('qos', text('qos')),
    ...named('constraint', text('constraint')),
    ...named('arrayLimit', limit),
    flags,
  };
  return values.isComplete ? request : undefined;
}

function named<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}

/** The name of something on a cluster: one line that is not empty. */
export function parseWord(name: string, value: Json): Parsed<string> {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
  if (text !== '' && !/\p{Cc}/u.test(text)) return { value: text };
  return {
    message: `${name} ${show(value)} is not a name.`,
    fix: 'Write it as sbatch takes it, on one line.',
  };
}

export function parseFlag(value: Json): Parsed<string> {
  const [, name] = /^--([a-z][a-z0-9-]*)(?:=\P{Cc}*)?$/u.exec(String(value)) ?? [];
  if (name === undefined) {
    return {
      message: `flag ${show(value)} is not an option of sbatch.`,
      fix: 'Write each as one word: --exclusive, --mail-type=FAIL.',
    };
  }
  // Other resources than GPUs have no key.
  const key = /^--gres=gpu\b/.test(String(value)) ? 'gpu' : findFlag(name, Object.keys(keysOfFlags));
  if (key !== undefined) {
    return {
      message: `flag --${name} is set by the runner itself, from a key.`,
      fix: `Write \`${keysOfFlags[key] ?? key}:\` instead.`,
    };
  }
  if (findFlag(name, [...ownFlags]) === undefined) return { value: String(value) };
  return {
    message: `flag --${name} is set by the runner itself.`,
    fix: 'Remove it: docs/cluster.md says what it is set to.',
  };
}

/** The option that `sbatch` takes this for: it accepts any beginning of a name. */
function findFlag(name: string, names: readonly string[]): string | undefined {
  return names.find((one) => one === name) ?? names.find((one) => one.startsWith(name));
}
