import { existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';

/** The files of a project, whose stages count how often they ran. */
export class ProjectFolder {
  readonly root: string;

  /** @param root absolute */
  constructor(root: string) {
    this.root = root;
  }

  at(...parts: readonly string[]): string {
    return path.join(this.root, ...parts);
  }

  async write(file: string, content: string | Uint8Array): Promise<void> {
    await fs.mkdir(path.dirname(this.at(file)), { recursive: true });
    await fs.writeFile(this.at(file), content);
  }

  read(file: string): string {
    return readFileSync(this.at(file), 'utf8');
  }

  has(file: string): boolean {
    return existsSync(this.at(file));
  }

  async remove(file: string): Promise<void> {
    await fs.rm(this.at(file), { recursive: true, force: true });
  }

  /** How often a stage has run: the number of lines that it has written to `counts/<name>`. */
  count(name: string): number {
    return this.has(`counts/${name}`) ? this.read(`counts/${name}`).trim().split('\n').length : 0;
  }
}
