import { hashJson } from '../canonical-json.ts';
import type { Plan } from '../plan/plan.ts';
import type { CodeClosures } from './code-closure.ts';
import type { Facts } from './fingerprint.ts';

/** Facts that the runner itself knows; the caller supplies those of the machine. */
export const runFactNames = ['code', 'configuration'] as const;

/** That one of them is another: their values are not for people. */
export const runFactChanges: Readonly<Record<string, string>> = {
  code: 'the code of a stage changed',
  configuration: 'the profile or its --set changed',
} satisfies Record<(typeof runFactNames)[number], string>;

/** What a stage that describes a whole run has to know of it, besides what the other stages made. */
export function runFactsOf(
  plan: Pick<Plan, 'instances' | 'profile' | 'trial'>,
  closures: Pick<CodeClosures, 'find'>,
): Record<(typeof runFactNames)[number], Facts[string]> {
  return {
    /** sha256 of the code and the packages of all stages that are modules. */
    code: async () => {
      const commands = [...plan.instances.values()].map(({ command }) => command);
      const modules = new Set(commands.flatMap((one) => (one.kind === 'module' ? [one.path] : [])));
      const found = await Promise.all([...modules].sort().map((module) => closures.find(module)));
      return hashJson(found.map(({ files, packages }) => ({ files, packages })));
    },
    /** JSON: the profile, and the `--set` that change its results. */
    configuration: async () => JSON.stringify({ profile: plan.profile, set: plan.trial?.overrides ?? [] }),
  };
}
