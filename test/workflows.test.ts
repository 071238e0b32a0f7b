import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const folder = path.resolve(import.meta.dirname, '../.github/workflows');
const texts = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(path.join(folder, name), 'utf8'),
}));

/** A commit cannot be moved, as a tag can; the comment says which version it is. */
const pinned = /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

interface Job {
  readonly 'runs-on': string;
  readonly strategy?: { readonly matrix: { readonly os?: readonly string[] } };
}

function runnersOf({ 'runs-on': runner, strategy }: Job): readonly string[] {
  if (!runner.startsWith('$')) return [runner];
  return strategy?.matrix.os ?? [];
}

describe.each(texts)('$name', ({ text }) => {
  test('names every action by its commit', () => {
    const used = [...text.matchAll(/uses: (.*)$/gm)].map(([, action]) => action);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((action) => !pinned.test(action ?? ''))).toEqual([]);
  });

  test('names the version of every runner', () => {
    const runners = Object.values<Job>(parse(text).jobs).flatMap(runnersOf);
    expect(runners.length).toBeGreaterThan(0);
    expect(runners.filter((runner) => !/^(?:ubuntu-\d\d\.\d\d(?:-arm)?|macos-\d\d)$/.test(runner))).toEqual(
      [],
    );
  });
});

test('an action is the same in all workflows', () => {
  const used = new Set(texts.flatMap(({ text }) => text.match(/uses: .*$/gm) ?? []));
  const names = [...used].map((one) => one.split('@')[0]);
  expect(names.length).toBe(new Set(names).size);
});
