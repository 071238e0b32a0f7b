import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** What each part may import besides itself; `errors.ts` and `text.ts` are open to all, but `text.ts` not to snn. One way only: no part is above itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  snn: ['errors'],
  errors: [],
  text: [],
  cores: [],
  thesis: [],
  files: ['errors', 'text'],
  addon: [],
  events: ['errors', 'text', 'addon', 'thesis'],
  formats: ['errors', 'text', 'files', 'snn'],
  stats: ['errors', 'text'],
  schema: ['errors', 'text', 'files'],
  engines: ['errors', 'text', 'addon', 'cores', 'snn'],
  results: ['errors', 'text', 'files', 'formats', 'snn', 'thesis'],
  datasets: ['errors', 'text', 'addon', 'events', 'files', 'formats', 'thesis', 'results'],
  training: ['errors', 'text', 'engines', 'events', 'files', 'formats', 'snn', 'thesis', 'results'],
  checkpoints: [
    'errors',
    'text',
    'engines',
    'files',
    'formats',
    'snn',
    'stats',
    'training',
    'thesis',
    'results',
  ],
  original: ['errors', 'text', 'engines', 'files', 'formats', 'schema', 'training', 'thesis', 'results'],
  parity: ['errors', 'text', 'engines', 'events', 'files', 'formats', 'snn', 'training', 'thesis', 'results'],
  pictures: ['errors', 'text', 'results'],
  explore: ['errors', 'text', 'datasets', 'events', 'formats', 'snn', 'thesis'],
  report: ['errors', 'text', 'explore', 'files', 'formats', 'pictures', 'snn', 'stats', 'thesis', 'results'],
  comparison: ['errors', 'text', 'stats', 'results'],
  sharing: ['errors', 'text', 'datasets', 'files', 'runner', 'thesis', 'results'],
  baseline: ['errors', 'text', 'files', 'snn', 'stats', 'thesis', 'results'],
  stage: ['errors', 'text', 'files'],
  executors: ['errors', 'text', 'files', 'stage'],
  runner: ['errors', 'text', 'cores', 'executors', 'files', 'schema', 'stage'],
  apps: [
    'errors',
    'text',
    'baseline',
    'checkpoints',
    'comparison',
    'cores',
    'datasets',
    'engines',
    'events',
    'files',
    'original',
    'parity',
    'pictures',
    'report',
    'runner',
    'schema',
    'sharing',
    'snn',
    'stage',
    'stats',
    'training',
    'thesis',
    'results',
  ],
  cli: ['errors', 'text', 'apps', 'cores', 'files', 'runner', 'stage'],
  stages: [
    'errors',
    'text',
    'stage',
    'datasets',
    'training',
    'report',
    'engines',
    'formats',
    'snn',
    'thesis',
    'results',
  ],
};

/** The folders of the runner in layers: each imports those above it, and its own sub-folders. */
const layers = ['plan', 'store', 'freshness', 'jobs', 'run', 'cluster', 'share', 'extras'];

function listSources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .sort();
}

/** `src/events/aedat4.ts` -> `events`, `src/errors.ts` -> `errors`, `stages/train.ts` -> `stages`. */
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

function linesOf(file: string): number {
  return readFileSync(path.join(root, file), 'utf8').trimEnd().split('\n').length;
}

const sources = [...listSources('src'), ...listSources('stages')];

interface Import {
  readonly target: string;
  /** `type`: gone once compiled; `lazy`: loaded by `import()`; `entry`: started as a worker or process of its own, by its address. */
  readonly kind: 'value' | 'type' | 'lazy' | 'entry';
}

/** The imports of each source file, of other source files. */
const imports = new Map(sources.map((file) => [file, readKindsOfImports(file)]));

function readKindsOfImports(file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const written =
    /(?:import|export)\s+(?<type>type\s)?(?<names>[^'";]*?from\s+)?'(?<fixed>\.{1,2}\/[^']+)'|(?<how>import|URL)\(\s*'(?<later>\.{1,2}\/[^']+)'/g;
  return [...text.matchAll(written)].flatMap(({ groups = {} }): Import[] => {
    const target = path.posix.join(path.posix.dirname(file), groups.fixed ?? groups.later ?? '');
    if (!sources.includes(target)) return [];
    if (groups.how !== undefined) return [{ target, kind: groups.how === 'URL' ? 'entry' : 'lazy' }];
    return [{ target, kind: groups.type !== undefined || onlyTypes(groups.names) ? 'type' : 'value' }];
  });
}

/** Whether a list like `{ type A, type B } from ` has nothing but types. */
function onlyTypes(names = ''): boolean {
  const [, list] = /^\{([^}]*)\}/.exec(names) ?? [];
  const each = (list ?? '').split(',').filter((name) => name.trim() !== '');
  return each.length > 0 && each.every((name) => name.trim().startsWith('type '));
}

/** The groups of nodes that reach each other (Tarjan's strongly connected components), each sorted. */
function findCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): number => {
    const own = order.size;
    order.set(node, own);
    stack.push(node);
    let low = own;
    for (const next of edges.get(node) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? order.get(next) ?? low);
    }
    lowest.set(node, low);
    if (low === own) {
      const group = stack.splice(stack.indexOf(node)).sort();
      if (group.length > 1) cycles.push(group);
    }
    return low;
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return cycles;
}

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

  test('allows nothing that no file uses', () => {
    const used = new Set(
      sources.flatMap((file) => readImports(file).map((target) => `${partOf(file)} ──> ${partOf(target)}`)),
    );
    const open = ['errors', 'text'];
    const unused = Object.entries(allowed).flatMap(([from, targets]) =>
      targets
        .filter((one) => !open.includes(one))
        .map((one) => `${from} ──> ${one}`)
        .filter((one) => !used.has(one)),
    );
    expect(unused).toEqual([]);
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
      .map(
        ([from, targets]) =>
          [from, targets.filter((one) => one !== 'errors' && one !== 'text').sort()] as const,
      )
      .filter(([, targets]) => targets.length > 0);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(expected));
  });

  test('has a runner in layers: each folder imports those above it', () => {
    const layerOf = (file: string): number => layers.indexOf(file.split('/')[2] ?? '');
    const own = sources.filter((file) => file.startsWith('src/runner/'));
    expect(own.filter((file) => layerOf(file) === -1)).toEqual([]);
    const wrong = own.flatMap((file) =>
      readImports(file)
        .filter((target) => target.startsWith('src/runner/') && layerOf(target) > layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  // Without it, a new kind of layer would compile, and be passed over in silence.
  test('has switches over kinds of layers that end in unreachable', () => {
    const switches = sources.flatMap((file) =>
      [...read(file).matchAll(/^( *)switch \(layer\.kind\) \{\n[\s\S]*?^\1\}/gm)].map(([text]) => ({
        file,
        text,
      })),
    );
    expect(switches.length).toBeGreaterThan(5);
    const open = switches.filter(
      ({ text }) => !/default:\s+(return )?unreachable\(layer\);\s+\}$/.test(text),
    );
    expect(open.map(({ file }) => file)).toEqual([]);
  });

  test('keeps the network core pure: snn imports nothing but itself and errors.ts', () => {
    const imports = sources
      .filter((file) => partOf(file) === 'snn')
      .flatMap((file) => [...readFileSync(path.join(root, file), 'utf8').matchAll(/from\s+'([^']+)'/g)])
      .map(([, specifier]) => specifier);
    expect(imports.filter((specifier) => !/^\.\/|^\.\.\/errors\.ts$/.test(specifier ?? ''))).toEqual([]);
  });

  test('has exported names that mean one thing: each is declared in one file', () => {
    const declared = /^export (?:async |abstract )*(?:function\*?|const|class|interface|type) (\w+)/gm;
    const files = new Map<string, Set<string>>();
    for (const file of sources)
      for (const [, name = ''] of read(file).matchAll(declared))
        files.set(name, (files.get(name) ?? new Set()).add(file));
    expect(files.size).toBeGreaterThan(1000);
    expect([...files].filter(([, { size }]) => size > 1)).toEqual([]);
  });

  test('keeps stages thin', () => {
    expect(listSources('stages').filter((file) => linesOf(file) > 100)).toEqual([]);
  });

  test('has a process of its own for each test file that replaces modules', () => {
    const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
    const replacing = files.filter(
      (file) => /\.test\.ts$/.test(file) && /^vi\.mock\(/m.test(read(`test/${file}`)),
    );
    const [, list] = /^const alone = \[(.+?)\];$/ms.exec(read('vitest.config.ts')) ?? [];
    const alone = [...(list ?? '').matchAll(/'test\/(.+)',$/gm)].map(([, file]) => file);
    expect(replacing.sort()).toEqual(alone);
  });

  test('has no cycle of folders: not even between a folder and its own sub-folders, nor of types', () => {
    const folders = new Map<string, Set<string>>();
    for (const [file, targets] of imports) {
      const from = path.posix.dirname(file);
      const reached = folders.get(from) ?? new Set();
      for (const { target } of targets)
        if (path.posix.dirname(target) !== from) reached.add(path.posix.dirname(target));
      folders.set(from, reached);
    }
    expect(findCycles(folders)).toEqual([]);
  });

  test('has no cycle of files, types and what is loaded later counted', () => {
    const edges = [...imports].map(
      ([file, targets]) =>
        [file, new Set(targets.filter(({ kind }) => kind !== 'entry').map(({ target }) => target))] as const,
    );
    expect(findCycles(new Map(edges))).toEqual([]);
  });

  // Excepted are files that must be files of their own: stages, declarations, kernels, what a worker or process starts
  // with, and commands, which are loaded when they are called.
  test('has no file under 40 lines for one importer', () => {
    const importers = new Map<string, Set<string>>(sources.map((file) => [file, new Set()]));
    const excepted = new Set<string>();
    for (const [file, targets] of imports)
      for (const { target, kind } of targets) {
        importers.get(target)?.add(file);
        const command = kind === 'lazy' && path.posix.basename(file) === 'commands.ts';
        if (kind === 'entry' || command) excepted.add(target);
      }
    const small = sources.filter(
      (file) =>
        linesOf(file) < 40 &&
        (importers.get(file)?.size ?? 0) < 2 &&
        !excepted.has(file) &&
        !/^stages\/|\.d\.ts$|\/kernels\/|^src\/(cli\/main|explore\/page\/(main|worker))\.ts$|\/commands\.ts$/.test(
          file,
        ),
    );
    expect(small).toEqual([]);
  });
});
