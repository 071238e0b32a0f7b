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
  readonly strategy?: {
    readonly matrix: {
      readonly os?: readonly string[];
      readonly include?: readonly { readonly os: string }[];
    };
  };
}

function runnersOf({ 'runs-on': runner, strategy }: Job): readonly string[] {
  if (!runner.startsWith('$')) return [runner];
  return strategy?.matrix.os ?? strategy?.matrix.include?.map(({ os }) => os) ?? [];
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
    expect(
      runners.filter((runner) => !/^(?:ubuntu-\d\d\.\d\d(?:-arm)?|macos-\d\d|windows-\d{4})$/.test(runner)),
    ).toEqual([]);
  });
});

test('an action is the same in all workflows', () => {
  const used = new Set(texts.flatMap(({ text }) => text.match(/uses: .*$/gm) ?? []));
  const names = [...used].map((one) => one.split('@')[0]);
  expect(names.length).toBe(new Set(names).size);
});

test('a release names the checksums of its archives, and signs them', () => {
  const { release } = parse(readFileSync(path.join(folder, 'prebuilds.yml'), 'utf8')).jobs;
  const steps: readonly { uses?: string; run?: string; with?: unknown }[] = release.steps;
  const at = (matches: (step: (typeof steps)[number]) => boolean): number => steps.findIndex(matches);
  const made = at(({ run }) => run?.includes('sha256sum plif-native-*.tar.gz >SHA256SUMS') === true);
  const signed = at(({ uses }) => uses?.startsWith('actions/attest@') === true);
  const published = at(({ run }) => /gh release upload .* SHA256SUMS/.test(run ?? ''));
  expect([made >= 0, made < signed, signed < published]).toEqual([true, true, true]);
  expect(steps[signed]?.with).toEqual({ 'subject-checksums': 'SHA256SUMS' });
});
