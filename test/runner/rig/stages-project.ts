import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
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

/** A temporary folder that is removed after the test. */
export async function createFolder(prefix: string): Promise<string> {
  const folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), prefix)));
  onTestFinished(() => fs.rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
