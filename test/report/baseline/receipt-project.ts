import { type Baseline, formatBaseline } from '../../../src/report/baseline/baseline.ts';
import { CliProject } from '../../runner/rig/cli-project.ts';

/** A project, for one test, with a baseline for `repro check --receipt`. */
export function createReceiptProject(baseline: Baseline): Promise<CliProject> {
  const { profile } = baseline;
  return CliProject.create({
    'pipeline.yaml': `version: 1
profiles: {folder: configs/profiles, default: ${profile}}
stages: {make: {cmd: [make], outputs: [artifacts/made]}}
`,
    [`configs/profiles/${profile}.yaml`]: '{}\n',
    [`configs/baselines/${profile}.json`]: formatBaseline(baseline),
  });
}
