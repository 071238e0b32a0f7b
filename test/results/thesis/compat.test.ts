import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  COMPAT_DEFAULTS,
  COMPAT_SWITCHES,
  describeCompat,
  FRAME_SWITCHES,
  type Switch,
} from '../../../src/results/thesis/compat.ts';

const switches: Readonly<Record<string, Switch>> = { ...COMPAT_SWITCHES, ...FRAME_SWITCHES };

describe('the switches', () => {
  it('are the rows of the tables in docs/deviations.md, each with its chapter', () => {
    const page = readFileSync(new URL('../../../docs/deviations.md', import.meta.url), 'utf8');
    const rows = page.split('\n').flatMap((line) => {
      const cells = /^\| (\d+) \| `([\w.]+)` \| (`[^|]+`) \| (`[^|]+`) \|/.exec(line);
      return cells === null ? [] : [cells.slice(1)];
    });
    expect(rows).toEqual(
      Object.entries(switches).map(([name, { deviation, choices }]) => {
        const [usual, ...others] = choices.map(({ value }) => `\`${value}\``);
        const key = name in FRAME_SWITCHES ? `frames.${name}` : name;
        return [String(deviation), key, usual, others.join(', ')];
      }),
    );
    for (const [name, { deviation }] of Object.entries(switches)) {
      expect(page).toContain(`\n### ${deviation}. ${name}: `);
    }
  });

  it('are described by those that are not at their defaults', () => {
    expect(describeCompat(COMPAT_DEFAULTS)).toBe('none');
    expect(describeCompat({ ...COMPAT_DEFAULTS, tau_init: 'paper', trials: 'first-88' })).toBe(
      'trials=first-88, tau_init=paper',
    );
  });
});
