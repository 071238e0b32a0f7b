import process from 'node:process';
import { isJsonList } from '../../base/schema/json.ts';
import { formatCount } from '../../base/text.ts';
import { readPipelineFile } from '../../runner/plan/pipeline-file.ts';
import { listProfiles, loadSettings } from '../../runner/plan/profile.ts';
import { ProjectPaths } from '../../runner/plan/project-paths.ts';
import { findData } from '../project/dataset-files.ts';
import { findProjectRoot, type PipelineOptions } from '../project/load-plan.ts';
import { printResult } from '../view/print.ts';

/** `repro profiles`: what there is to run. @throws {ConfigurationError} for a profile that is wrong */
export async function profiles(options: PipelineOptions): Promise<void> {
  const paths = new ProjectPaths(findProjectRoot(options.project ?? process.cwd()));
  const pipeline = await readPipelineFile(paths.absolute('pipeline.yaml'), 'pipeline.yaml');
  const names = await listProfiles(paths.absolute(pipeline.content.profiles?.folder ?? ''));
  const found = await Promise.all(
    names.map(async (name) => {
      const { value: settings } = await loadSettings(pipeline, paths, { name, assignments: [] });
      const { description = '', models, seeds } = settings;
      const [arms, each] = [models, seeds].map((list) => (isJsonList(list) ? list.length : 0));
      const data = await findData({ projectRoot: paths.root, settings });
      return { profile: name, description: String(description).trim(), trainings: arms! * each!, data };
    }),
  );
  printResult(options, 'profiles', { profiles: found }, () =>
    found.flatMap(({ profile, description, trainings, data }) => [
      `${profile}  ${formatCount(trainings, 'training')}`,
      `  ${description}`,
      ...(data === null || data.isHere ? [] : [`  ${data.text}. ${data.fix}`]),
    ]),
  );
}
