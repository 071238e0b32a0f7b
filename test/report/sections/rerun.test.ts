import { describe, expect, it } from 'vitest';
import type { Block } from '../../../src/report/page/document.ts';
import { describeRerun, readOrigin } from '../../../src/report/sections/rerun.ts';
import { makeResults } from '../result-values.ts';

const CODE = 'c'.repeat(64);
const ORIGIN = { profile: 'quick', set: ['train.epochs=3', "models=[a, 'b']"], code: CODE };

function blockOf<Kind extends Block['kind']>(
  kind: Kind,
  results = makeResults(),
  origin: typeof ORIGIN | null = ORIGIN,
) {
  const found = describeRerun(results, origin).blocks.find((block) => block.kind === kind);
  return found as Extract<Block, { kind: Kind }>;
}

describe('the commands that make the page again', () => {
  it('name the profile and every override, quoted for a shell', () => {
    const [run, check] = blockOf('commands').lines;
    const options = `--profile quick --set train.epochs=3 --set 'models=[a, '\\''b'\\'']'`;
    expect(run?.command).toBe(`./repro run ${options}`);
    expect(run?.does).toContain('makes this page again');
    expect(check?.command).toBe(`./repro check ${options}`);
    expect(check?.does).toContain('compares each number with the committed baseline');
  });

  it('say what is missing if the run is not known', () => {
    expect(blockOf('commands', makeResults(), null).lines[0]?.command).toBe('./repro run');
    expect(JSON.stringify(blockOf('paragraph', makeResults(), null).text)).toContain('--profile');
    expect(JSON.stringify(blockOf('paragraph').text)).not.toContain('--profile');
  });
});

it('the digests are those of the data and the code', () => {
  const list = JSON.stringify(blockOf('list').items);
  expect(list).toContain('4'.repeat(64));
  expect(list).toContain(CODE);
});

it('the run is read from the facts of the stage', () => {
  const configuration = JSON.stringify({
    profile: 'quick',
    set: ['train.epochs=3', 'reference.logs=/home/me/logs'],
  });
  expect(readOrigin({ code: CODE, configuration })).toEqual({
    profile: 'quick',
    set: ['train.epochs=3', 'reference.logs=DIR'],
    code: CODE,
  });
  expect(readOrigin({})).toBeNull();
});
