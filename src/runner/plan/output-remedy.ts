import type { Combination } from './matrix.ts';
import { parseTemplate } from './references.ts';
import type { Settings } from './settings.ts';

/**
 * What to do if a profile value would make a stage overwrite other data, or undefined. A stage that some profiles leave
 * out (`when:`) makes what those profiles only read, so a user who names their own data wants one of those.
 *
 * @param text the path with its references, as written in the pipeline file
 */
export function adviseProfile(
  text: string,
  combination: Combination,
  stage: { readonly name: string; readonly when: boolean | string | undefined },
  settings: Settings,
): string | undefined {
  if (typeof stage.when !== 'string') return undefined;
  const parsed = parseTemplate(text);
  const isSetByProfile =
    'template' in parsed &&
    parsed.template.some((part) => typeof part === 'object' && !combination.has(part.path[0] ?? ''));
  if (!isSetByProfile) return undefined;
  const others = settings.otherProfiles.map((name) => `--profile ${name}`);
  const choice = new Intl.ListFormat('en', { type: 'disjunction' }).format(others);
  return [
    `Profile "${settings.profile}" makes this data itself, in stage "${stage.name}".`,
    `To use your own data, pick a profile that only reads it${choice === '' ? '' : `: ${choice}`}.`,
  ].join(' ');
}
