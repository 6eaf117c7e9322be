/** A folder that lives as long as its test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-official-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
