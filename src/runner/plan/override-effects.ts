import { compareCodeUnits } from '../../files/canonical-json.ts';
import type { Json } from '../../schema/json.ts';
import type { Problem } from '../../schema/problems.ts';
import type { PipelineContent, PipelineFile, StageEntry } from './pipeline-file.ts';
import type { StageInstance, Trial } from './plan.ts';
import type { ProfileSettings } from './profile-settings.ts';

/** What `--set` changes of the profile's results; null if nothing. */
export function findTrial(
  content: PipelineContent,
  settings: ProfileSettings,
  plan: {
    /** Sorted: what an instance reads comes before it. */
    readonly instances: readonly Pick<StageInstance, 'id' | 'stage'>[];
    readonly dependenciesOf: (id: string) => Iterable<string>;
  },
): Trial | null {
  const changes = listChanges(content, settings);
  if (changes.length === 0) return null;
  // A setting may refer to others, so using it means using those, too.
  const indirect = listReferenced(settings.written);
  const reaching = new Map<string, readonly string[]>();
  for (const { id, stage } of plan.instances) {
    // Matrix values are in the id: `train@baseline,2021` is the same result for any list of seeds.
    const { matrix: _, ...entry } = content.stages[stage] ?? { outputs: [] };
    const used = [...listUsed(entry), ...indirect];
    const before = [...plan.dependenciesOf(id)].flatMap((one) => reaching.get(one) ?? []);
    const readsAll = entry.facts?.includes('configuration') === true;
    const found = changes.filter(
      ({ name, text }) => readsAll || before.includes(text) || used.some((one) => areRelated(one, name)),
    );
    if (found.length > 0) {
      reaching.set(
        id,
        found.map(({ text }) => text),
      );
    }
  }
  return { overrides: changes.map(({ text }) => text), reaching };
}

function listChanges(
  { machine = [] }: PipelineContent,
  settings: ProfileSettings,
): { readonly name: string; readonly text: string }[] {
  return settings.changes
    .map(({ path, value }) => ({ name: path.join('.'), text: `${path.join('.')}=${formatValue(value)}` }))
    .sort((a, b) => compareCodeUnits(a.name, b.name))
    .filter(({ name }) => !machine.some((key) => name === key || name.startsWith(`${key}.`)));
}

/** A value as `--set` takes it, always written in the same way. */
function formatValue(value: Json): string {
  const isPlain = typeof value === 'string' && /^[A-Za-z_][\w./-]*$/.test(value) && !isYamlWord(value);
  return isPlain ? value : JSON.stringify(value);
}

/** Words that YAML reads as something else than a string. */
function isYamlWord(text: string): boolean {
  return /^(true|false|null|yes|no|on|off)$/i.test(text);
}

/** Names under `machine:` that no profile can have: a typo would make every run with that setting a trial, silently. */
export function findUnknownMachineSettings(
  { content, document }: PipelineFile,
  settings: ProfileSettings,
): Problem[] {
  return (content.machine ?? []).flatMap((key, i) => {
    const path = key.split('.');
    if (settings.mayHave(path) || settings.lookUp(path) !== undefined) return [];
    const message = `machine: there is no setting "${key}".`;
    return [{ at: document.positionOf(['machine', i]), message, fix: () => settings.suggest(key) }];
  });
}

function listUsed(entry: StageEntry): string[] {
  return [...(entry.params ?? []), ...listReferenced(entry)];
}

function listReferenced(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/\$\{\s*([^{}\s]+)\s*\}/g)].map(([, name = '']) => name);
}

function areRelated(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}
