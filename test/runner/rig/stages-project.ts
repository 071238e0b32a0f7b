import { CliProject } from './cli-project.ts';

/**
 * A project whose pipeline consists of these stages.
 *
 * @param stages YAML, as below `stages:`, without indentation
 */
export function createStagesProject(stages: string): Promise<CliProject> {
  const indented = stages.trimEnd().replace(/^/gm, '  ');
  return CliProject.create({
    'pipeline.yaml': `version: 1\nprofiles: {folder: profiles, default: only}\nstages:\n${indented}\n`,
    'profiles/only.yaml': 'description: a test\n',
  });
}
