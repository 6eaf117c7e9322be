/**
 * Run by `npm run build`: writes what help says about the commands to `.oclif.manifest.json`, which oclif reads instead of
 * loading every command. Without that file everything works, more slowly.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core/config';

/** `dist/src/` is two folders below the root of the project. */
const root = fileURLToPath(new URL('../..', import.meta.url));

const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true });
await plugin.load();
await writeFile(path.join(root, '.oclif.manifest.json'), JSON.stringify(plugin.manifest));
