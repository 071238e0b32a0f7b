import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** The rooms of `src/`: each may import those before it. docs/architecture.md lists them in this order. */
const rooms = [
  'base',
  'runner',
  'formats',
  'network',
  'results',
  'verdicts',
  'data',
  'training',
  'report',
  'exchange',
  'app',
];

/** Whether a room, or `stages`, may import another room: one way only, and the two halves meet in few places. */
function mayImport(from: string, target: string): boolean {
  if (from === 'stages') return target !== 'exchange' && target !== 'app';
  if (from === 'network') return target === 'base' || target === 'formats';
  if (target === 'runner') return from === 'exchange' || from === 'app';
  return rooms.indexOf(target) < rooms.indexOf(from);
}

/** The folders of the runner in layers: each imports those above it, and its own sub-folders. */
const layers = [
  'stage',
  'executors',
  'plan',
  'store',
  'freshness',
  'jobs',
  'run',
  'cluster',
  'share',
  'extras',
];

function listSources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .sort();
}

/** `src/data/events/aedat3.ts` -> `data`, `stages/train.ts` -> `stages`. */
function roomOf(file: string): string {
  const [top = file, room = ''] = file.split('/');
  return top === 'src' ? room : top;
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

  test('has eleven rooms, in the order in which docs/architecture.md lists them', () => {
    expect(readdirSync(path.join(root, 'src')).sort()).toEqual(rooms.toSorted());
    const [, list = ''] = /^## Eleven rooms$([\s\S]*?)^## /m.exec(read('docs/architecture.md')) ?? [];
    expect([...list.matchAll(/^\| `(\w+)` \|/gm)].map(([, room]) => room)).toEqual(rooms);
  });

  test('has imports that go one way', () => {
    const wrong = sources.flatMap((file) => {
      const from = roomOf(file);
      return readImports(file)
        .filter((target) => roomOf(target) !== from && !mayImport(from, roomOf(target)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
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

  test('keeps a network as data pure: it imports no package, and nothing of Node.js', () => {
    const core = sources.filter((file) => path.posix.dirname(file) === 'src/network');
    expect(core.length).toBeGreaterThan(10);
    const packages = core.filter((file) => /from\s+'[^.]/.test(read(file)));
    expect(packages).toEqual([]);
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
        !/^stages\/|\.d\.ts$|\/kernels\/|^src\/(app\/main|app\/judge\/alone|report\/explorable\/page\/(main|worker))\.ts$|\/commands\.ts$/.test(
          file,
        ),
    );
    expect(small).toEqual([]);
  });
});
