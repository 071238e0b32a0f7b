import { symlinkSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, onTestFinished } from 'vitest';
import { ProjectFolder } from './project-folder.ts';

export const repository = path.resolve(import.meta.dirname, '../../..');

export const repro = path.join(repository, 'bin/repro.js');

export const plainEnvironment = { NO_COLOR: '1', CI: 'true', FORCE_COLOR: undefined };

/** A project in a temporary folder for tests of the real command line. */
export class CliProject extends ProjectFolder {
  /** For one test. @param files path -> content */
  static async create(files: Readonly<Record<string, string>>): Promise<CliProject> {
    const project = await CliProject.createForFile(files);
    onTestFinished(() => fs.rm(project.root, { recursive: true, force: true, maxRetries: 3 }));
    return project;
  }

  /** For all tests of a file, which removes it at its end. */
  static async createForFile(files: Readonly<Record<string, string>>): Promise<CliProject> {
    const root = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'repro-project-')));
    const project = new CliProject(root);
    for (const [file, content] of Object.entries(files)) await project.write(file, content);
    return project;
  }

  /** As `createForFile`, with a copy of this project's pipeline, configuration, schemas and stages. */
  static async copyConfiguration(): Promise<CliProject> {
    const project = await CliProject.createForFile({});
    for (const name of ['pipeline.yaml', 'configs', 'dist/explore.js', 'schemas', 'stages']) {
      await fs.cp(path.join(repository, name), project.at(name), { recursive: true });
    }
    // Baselines refer to the answers there.
    symlinkSync(path.join(repository, 'results'), project.at('results'));
    return project;
  }

  /** What stages of such a copy import. */
  linkSources(): void {
    for (const name of ['src', 'node_modules', 'native', 'package.json', 'package-lock.json'])
      symlinkSync(path.join(repository, name), this.at(name));
  }

  async edit(file: string, from: string, to: string): Promise<void> {
    const text = this.read(file);
    if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
    await this.write(
      file,
      text.replace(from, () => to),
    );
  }

  /** Runs the real command line. */
  call(words: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
    return execa(process.execPath, [repro, ...words], {
      cwd: this.root,
      reject: false,
      env: { ...plainEnvironment, ...env },
    });
  }

  /** Expects that a command ends with this code, and that stderr has each of these texts. */
  async expectFailure(
    words: readonly string[],
    exitCode: number,
    ...texts: readonly string[]
  ): Promise<void> {
    const result = await this.call(words);
    expect([result.exitCode, result.stderr]).toEqual([exitCode, expect.stringContaining(texts[0] ?? '')]);
    for (const text of texts.slice(1)) expect(result.stderr).toContain(text);
  }

  /** The document that a command prints with `--json`. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the document that it asks for
  async json(words: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Promise<any> {
    const { stdout, stderr } = await this.call([...words, '--json'], env);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  }
}
