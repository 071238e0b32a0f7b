/** What `architecture.test.ts` does not hold yet. Each list only ever gets shorter. */

/** Parts of `src/` with cycles between their folders. */
export const cyclicFolders: readonly string[] = ['cli'];

/** Parts of `src/` with cycles of values between their files. */
export const cyclicValues: readonly string[] = [];

/** Files under 40 lines with one importer. */
export const smallFiles: readonly string[] = [
  'src/runner/cluster/attachment.ts',
  'src/runner/cluster/submitter.ts',
  'src/runner/jobs/jobs-folder.ts',
  'src/runner/cluster/cluster-freshness.ts',
  'src/runner/cluster/job-report.ts',
  'src/runner/extras/drawing/render.ts',
  'src/runner/extras/drawing/render.ts',
  'src/runner/extras/drawing/render.ts',
  'src/runner/extras/drawing/render.ts',
  'src/runner/plan/profile.ts',
  'src/runner/plan/stage-paths.ts',
  'src/runner/run/execution.ts',
  'src/snn/architectures.ts',
  'src/stage/host.ts',
];
