import { describeError, ReproError } from '../../errors.ts';
import type { CheckedSection } from './check-section.ts';

/** That the check could not be made: it fails in every form, so that no earlier result is taken for that of now. */
export function sectionOfError(profile: string, error: unknown): CheckedSection {
  const code = error instanceof ReproError ? error.code : 'internal';
  const text = describeError(error);
  const item = { name: 'repro check', state: 'error', word: 'error', text } as const;
  return {
    document: { kind: 'error', profile, code, text },
    group: {
      title: 'repro check',
      items: [item],
      rows: [item],
      isGood: false,
      summary: 'the check could not be made',
      remedy: [],
    },
  };
}
