import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkInstances, sortTopologically } from '../../../src/runner/plan/graph.ts';
import type { StageInstance } from '../../../src/runner/plan/plan.ts';
import { PathTrie, relatePaths } from '../../../src/runner/plan/project-paths.ts';

function instance(id: string, inputs: readonly string[], outputs: readonly string[]): StageInstance {
  const at = { file: 'pipeline.yaml', line: 1, column: 1 };
  return {
    id,
    stage: id,
    matrix: {},
    command: { kind: 'module', path: 'stages/a.ts' },
    params: {},
    inputs: inputs.map((path) => ({ path, external: false, at })),
    outputs,
    resume: [],
    variables: [],
    facts: [],
    hermetic: true,
    resources: { cpu: 1, memoryBytes: 1, gpu: 0, timeSeconds: null },
    at,
  };
}

function dependenciesOf(instances: readonly StageInstance[]): Record<string, string[]> {
  return Object.fromEntries(
    [...linkInstances(instances)].map(([id, links]) => [id, [...links.keys()].sort()]),
  );
}

/** Few names, so that paths are often related. */
const somePath = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'a.b'), { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'));

describe('paths', () => {
  test.each([
    ['a/b', 'a/b', 'equal'],
    ['a/b', 'a', 'inside'],
    ['a', 'a/b/c', 'around'],
    ['ab', 'a', 'apart'],
    ['a', 'ab', 'apart'],
    ['a.b', 'a', 'apart'],
    ['/a/b', '/a', 'inside'],
    ['a/b', 'a/c', 'apart'],
  ])('"%s" to "%s" is %s', (path, other, expected) => {
    expect(relatePaths(path, other)).toBe(expected);
  });

  test('that are related are what the trie finds', () => {
    fc.assert(
      fc.property(fc.array(somePath), somePath, (paths, wanted) => {
        const tree = new PathTrie<number>();
        for (const [index, path] of paths.entries()) tree.add(path, index);
        const expected = [...paths.keys()].filter(
          (index) => relatePaths(paths[index] ?? '', wanted) !== 'apart',
        );
        expect([...tree.related(wanted)].sort((a, b) => a - b)).toEqual(expected);
      }),
      { seed: 2020 },
    );
  });
});

describe('an instance', () => {
  test('depends on whatever makes its input, something inside it, or the folder around it', () => {
    expect(
      dependenciesOf([
        instance('equal', [], ['x/equal']),
        instance('inside', [], ['x/folder/part/deep']),
        instance('around', [], ['x/whole']),
        instance('neighbour', [], ['x/equal2', 'x/folder-b', 'x/who']),
        instance('reader', ['x/equal', 'x/folder', 'x/whole/clips.json'], ['y']),
      ]).reader,
    ).toEqual(['around', 'equal', 'inside']);
  });

  test('does not depend on itself', () => {
    expect(dependenciesOf([instance('a', ['x/a'], ['x/a/b'])]).a).toEqual([]);
  });

  test('knows which of its inputs make it depend', () => {
    const links = linkInstances([
      instance('a', [], ['x/1', 'x/2']),
      instance('b', ['z', 'x/2', 'x', 'x/1/deep'], ['y']),
    ]);
    expect(links.get('b')?.get('a')).toEqual([1, 2, 3]);
  });
});

describe('the order', () => {
  const sort = (graph: Readonly<Record<string, readonly string[]>>) =>
    sortTopologically(Object.keys(graph), (id) => graph[id] ?? []);

  test('is that of the file if nothing else is required', () => {
    expect(sort({ c: [], a: [], b: [] })).toEqual({ order: ['c', 'a', 'b'] });
    expect(sort({ c: ['z'], a: [], z: [], b: ['c'] })).toEqual({ order: ['a', 'z', 'c', 'b'] });
  });

  test('puts a diamond between its ends', () => {
    expect(sort({ end: ['left', 'right'], right: ['top'], left: ['top'], top: [] })).toEqual({
      order: ['top', 'right', 'left', 'end'],
    });
  });

  test('is impossible for a cycle, which is named from maker to reader, beginning with the first in the file', () => {
    expect(sort({ x: [], c: ['b'], b: ['a'], a: ['c'], after: ['a'] })).toEqual({ cycle: ['c', 'a', 'b'] });
    expect(sort({ a: ['b'], b: ['a'] })).toEqual({ cycle: ['a', 'b'] });
  });

  test('has every id once, after everything it depends on, and always picks the earliest free one', () => {
    // Edges from higher to lower numbers have no cycle; the ids are then shuffled.
    const graph = fc.integer({ min: 1, max: 12 }).chain((size) =>
      fc.record({
        ids: fc.shuffledSubarray([...Array(size).keys()].map(String), { minLength: size }),
        edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 30 }),
      }),
    );
    fc.assert(
      fc.property(graph, ({ ids, edges }) => {
        const needs = new Map(ids.map((id) => [id, new Set<string>()]));
        for (const [a, b] of edges)
          if (a !== b) needs.get(String(Math.max(a, b)))?.add(String(Math.min(a, b)));
        const sorted = sortTopologically(ids, (id) => needs.get(id) ?? []);

        const expected: string[] = [];
        while (expected.length < ids.length) {
          const free = ids.find(
            (id) =>
              !expected.includes(id) && [...(needs.get(id) ?? [])].every((one) => expected.includes(one)),
          );
          expected.push(free ?? 'none is free');
        }
        expect(sorted).toEqual({ order: expected });
      }),
      { seed: 2020 },
    );
  });

  test('finds a cycle wherever one edge closes it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(), (size, extra) => {
        const ids = [...Array(size).keys()].map(String);
        const closing = String(1 + (extra % (size - 1)));
        const sorted = sortTopologically(ids, (id) => (id === '0' ? [closing] : [String(Number(id) - 1)]));
        expect(sorted).toEqual({ cycle: ids.slice(0, Number(closing) + 1) });
      }),
      { seed: 2020 },
    );
  });
});
