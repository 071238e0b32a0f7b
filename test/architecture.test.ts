import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** What each part may import besides itself; `errors.ts` is open to all but snn. One way only: no part is above itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  snn: [],
  errors: [],
  thesis: [],
  files: ['errors'],
  compression: ['errors'],
  addon: [],
  events: ['errors', 'addon', 'compression', 'thesis'],
  formats: ['errors', 'files', 'snn'],
  stats: ['errors'],
  'graph-layout': [],
  schema: ['errors', 'files'],
  engines: ['errors', 'addon', 'formats', 'snn'],
  images: ['errors', 'compression', 'formats'],
  datasets: ['errors', 'addon', 'events', 'files', 'formats', 'images', 'thesis'],
  training: ['errors', 'engines', 'events', 'files', 'formats', 'images', 'snn', 'stats', 'thesis'],
  checkpoints: ['errors', 'engines', 'files', 'formats', 'snn', 'stats', 'training', 'thesis'],
  original: ['errors', 'engines', 'files', 'formats', 'schema', 'snn', 'training', 'thesis'],
  parity: ['errors', 'engines', 'events', 'files', 'formats', 'images', 'snn', 'training', 'thesis'],
  pictures: ['errors', 'formats', 'snn'],
  'figure-export': ['errors', 'formats'],
  report: ['errors', 'files', 'formats', 'graph-layout', 'pictures', 'snn', 'stats', 'thesis'],
  comparison: ['errors', 'formats', 'stats'],
  baseline: ['errors', 'formats', 'schema', 'snn', 'stats', 'thesis'],
  stage: ['errors', 'files'],
  executors: ['errors', 'files', 'stage'],
  runner: ['errors', 'executors', 'files', 'graph-layout', 'schema', 'stage'],
  cli: [
    'errors',
    'baseline',
    'checkpoints',
    'comparison',
    'datasets',
    'engines',
    'events',
    'figure-export',
    'files',
    'formats',
    'original',
    'parity',
    'pictures',
    'report',
    'runner',
    'schema',
    'snn',
    'stage',
    'stats',
    'training',
    'thesis',
  ],
  stages: [
    'errors',
    'stage',
    'datasets',
    'events',
    'training',
    'report',
    'engines',
    'formats',
    'snn',
    'stats',
    'thesis',
  ],
};

function listSources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .sort();
}

/** `src/events/aedat3.ts` -> `events`, `src/errors.ts` -> `errors`, `stages/train.ts` -> `stages`. */
function partOf(file: string): string {
  const [top, second] = file.split('/');
  if (top !== 'src') return top ?? file;
  return (second ?? '').replace(/\.ts$/, '');
}

function readImports(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(([, specifier]) =>
    path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier ?? '')),
  );
}

/** The half that runs pipelines, and knows nothing about networks. */
function isOfRunner(file: string): boolean {
  return ['cli', 'executors', 'files', 'graph-layout', 'runner', 'schema', 'stage'].includes(partOf(file));
}

const sources = [...listSources('src'), ...listSources('stages')];

/** The C++ sources, and what each folder of theirs may include besides itself. */
const nativeAllowed: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  threads: [],
  network: ['kernels', 'threads'],
  events: [],
  addon: ['kernels', 'threads', 'network', 'events'],
};
const nativeSources = readdirSync(path.join(root, 'native/src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(cc|h)$/.test(name))
  .map((name) => name.split(path.sep).join('/'))
  .sort();

describe('the architecture of the native engine', () => {
  const read = (file: string) => readFileSync(path.join(root, 'native/src', file), 'utf8');

  test('has includes that go one way', () => {
    const wrong = nativeSources.flatMap((file) => {
      const folder = path.posix.dirname(file);
      const includes = [...read(file).matchAll(/#include "\.\.\/(\w+)\//g)].map(([, name]) => name ?? '');
      return includes
        .filter((name) => !nativeAllowed[folder]?.includes(name))
        .map((name) => `${file} includes ${name}`);
    });
    expect([...new Set(nativeSources.map((file) => path.posix.dirname(file)))]).toEqual(
      Object.keys(nativeAllowed).sort(),
    );
    expect(wrong).toEqual([]);
  });

  test('keeps files small', () => {
    expect(nativeSources.filter((file) => read(file).split('\n').length > 401)).toEqual([]);
  });
});

describe('the architecture', () => {
  const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

  test('is one that this test knows: every part has its rule', () => {
    expect([...new Set(sources.map(partOf))].filter((part) => !(part in allowed))).toEqual([]);
  });

  test('has imports that go one way', () => {
    const wrong = sources.flatMap((file) => {
      const from = partOf(file);
      return readImports(file)
        .filter((target) => target.startsWith('src/') || target.startsWith('stages/'))
        .filter((target) => partOf(target) !== from && !(allowed[from] ?? []).includes(partOf(target)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('is the one that docs/architecture.md shows', () => {
    const [, diagram = ''] = /```\n(cli ──>[\s\S]*?)```/.exec(read('docs/architecture.md')) ?? [];
    const shown = diagram
      .replace(/\n +/g, ' ')
      .trim()
      .split('\n')
      .map((line) => line.split(' ──> '))
      .map(([from = '', targets = '']) => [from, targets.split(', ')] as const);
    const expected = Object.entries(allowed)
      .map(([from, targets]) => [from, targets.filter((one) => one !== 'errors').sort()] as const)
      .filter(([, targets]) => targets.length > 0);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(expected));
  });

  test('keeps the network core pure: snn imports nothing but itself', () => {
    const imports = sources
      .filter((file) => partOf(file) === 'snn')
      .flatMap((file) => [...readFileSync(path.join(root, file), 'utf8').matchAll(/from\s+'([^']+)'/g)])
      .map(([, specifier]) => specifier);
    expect(imports.filter((specifier) => !specifier?.startsWith('./'))).toEqual([]);
  });

  test('keeps stages thin and files small', () => {
    const lines = (file: string) => readFileSync(path.join(root, file), 'utf8').split('\n').length;
    expect(listSources('stages').filter((file) => lines(file) > 101)).toEqual([]);
    expect(sources.filter((file) => lines(file) > (isOfRunner(file) ? 301 : 341))).toEqual([]);
  });
});
