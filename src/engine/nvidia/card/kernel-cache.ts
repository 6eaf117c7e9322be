/**
 * Machine code of kernels, kept between processes: NVRTC takes 20 ms for each, a short run needs several hundred. A file holds the
 * kernels that were compiled together; what cannot be read or written is compiled anew, as if there were no cache.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { defaultCacheFolder } from '../../../shared/folders/cache-folder.js';

/** Of SHA-256: before the code, a digest of it. */
const digestBytes = 32;

/** Machine code of NVIDIA is an ELF file; assembly, which the driver translates and keeps itself, is not kept here. */
const elf = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

export class KernelCache {
  /** @param most files that are kept; those unused for longest go. 2,000 are some 400 MB. */
  constructor(
    private readonly folder = path.join(defaultCacheFolder(), 'kernels'),
    private readonly most = 2000,
  ) {}

  /** @param parts all that the code depends on: source, options, version of the compiler */
  of(parts: readonly string[], compile: () => Uint8Array): Uint8Array {
    const name = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    const file = path.join(this.folder, name.slice(0, 32));
    const known = read(file);
    if (known) return known;
    const code = compile();
    if (elf.equals(code.subarray(0, elf.length))) this.keep(file, code);
    return code;
  }

  private keep(file: string, code: Uint8Array): void {
    try {
      mkdirSync(this.folder, { recursive: true });
      const partial = `${file}.${process.pid}.partial`;
      writeFileSync(partial, Buffer.concat([digestOf(code), code]));
      renameSync(partial, file);
      this.forgetOldest();
    } catch {
      // A full disk or a folder of others costs time, and no result.
    }
  }

  private forgetOldest(): void {
    const names = readdirSync(this.folder);
    if (names.length <= this.most) return;
    const files = names
      .map((name) => path.join(this.folder, name))
      .map((file) => ({ file, used: statSync(file).mtimeMs }));
    const oldest = files.sort((a, b) => a.used - b.used).slice(0, Math.ceil(this.most / 10));
    for (const { file } of oldest) rmSync(file, { force: true });
  }
}

/** Undefined where there is none, or what is there was not written whole. */
function read(file: string): Uint8Array | undefined {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(digestBytes);
    if (!digestOf(code).equals(bytes.subarray(0, digestBytes))) return undefined;
    const now = new Date();
    utimesSync(file, now, now);
    return new Uint8Array(code);
  } catch {
    return undefined;
  }
}

function digestOf(code: Uint8Array): Buffer {
  return createHash('sha256').update(code).digest();
}
