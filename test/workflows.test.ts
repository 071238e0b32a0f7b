import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
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

test('every script that a workflow runs is there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const all = texts.map(({ text }) => text).join('\n');
  const named = [...all.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  const files = [...all.matchAll(/(?:node|run:) ((?:scripts|native)\/\S+)/g)].map(([, file = '']) => file);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
  expect([named.length, files.length].every((count) => count > 2)).toBe(true);
});

test('a release is published by a job that runs nothing of this project, after one that may only read', () => {
  const { permissions, jobs } = parse(readFileSync(path.join(folder, 'release.yml'), 'utf8'));
  const { build, publish }: Readonly<Record<string, Job>> = jobs;
  expect([permissions, build?.permissions]).toEqual([{ contents: 'read' }, undefined]);
  expect(publish).toMatchObject({
    if: "github.event_name == 'push'",
    needs: 'build',
    permissions: { actions: 'read', contents: 'write' },
  });
  expect(publish?.steps.map(({ run }) => run?.split(' ')[0])).toEqual(['gh', 'gh']);
});

test('an action is the same in all workflows', () => {
  const used = new Set(texts.flatMap(({ text }) => text.match(/uses: .*$/gm) ?? []));
  const names = [...used].map((one) => one.split('@')[0]);
  expect(names.length).toBe(new Set(names).size);
});
