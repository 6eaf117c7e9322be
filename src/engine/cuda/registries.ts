/** Where registries have an archive, and which hash they say it has. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RequestError } from '../../shared/errors.js';
import { type Download, fetchJson } from './download.js';

/** Addresses; those of tests are others. */
export interface Registries {
  readonly npm: string;
  /** The service index (learn.microsoft.com/nuget/api/service-index). */
  readonly nuget: string;
}

/** npm's own registry, or the one that this user has set. */
export async function registriesHere(): Promise<Registries> {
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry']).catch(() => ({ stdout: '' }));
  const set = stdout.trim();
  return {
    npm: URL.canParse(set) ? set : 'https://registry.npmjs.org/',
    nuget: 'https://api.nuget.org/v3/index.json',
  };
}

/** @throws RequestError where the registry does not answer or has no such package */
export async function npmArchive({ npm }: Registries, name: string, version: string): Promise<Download> {
  const what = `${name} ${version}`;
  const answer = (await fetchJson(new URL(`${name}/${version}`, ensureSlash(npm)).href, what)) as {
    readonly dist?: { readonly tarball?: string; readonly integrity?: string };
  };
  const { tarball: url, integrity } = answer.dist ?? {};
  if (!url || !integrity) throw new RequestError(`${what}: ${npm} says neither where it is nor its hash`);
  return { what, url, integrity };
}

interface ServiceIndex {
  readonly resources?: readonly { readonly '@id': string; readonly '@type': string }[];
}

interface RegistrationLeaf {
  readonly packageContent?: string;
  /** Address of the catalogue's entry, or the entry itself. */
  readonly catalogEntry?: string | CatalogEntry;
}

interface CatalogEntry {
  readonly packageHash?: string;
  readonly packageHashAlgorithm?: string;
}

/** @throws RequestError where the registry does not answer or has no such package */
export async function nugetArchive({ nuget }: Registries, name: string, version: string): Promise<Download> {
  const what = `${name} ${version}`;
  const index = (await fetchJson(nuget, what)) as ServiceIndex;
  const base = index.resources?.find((resource) => resource['@type'] === 'RegistrationsBaseUrl/3.6.0')?.['@id'];
  if (!base) throw new RequestError(`${what}: ${nuget} is no NuGet registry (it lists no RegistrationsBaseUrl/3.6.0)`);
  const leaf = (await fetchJson(
    new URL(`${name.toLowerCase()}/${version}.json`, ensureSlash(base)).href,
    what,
  )) as RegistrationLeaf;
  const { catalogEntry } = leaf;
  const entry = (typeof catalogEntry === 'string' ? await fetchJson(catalogEntry, what) : catalogEntry) as CatalogEntry;
  if (!leaf.packageContent || !entry?.packageHash) {
    throw new RequestError(`${what}: ${nuget} says neither where it is nor its hash`);
  }
  const algorithm = (entry.packageHashAlgorithm ?? 'SHA512').toLowerCase();
  return { what, url: leaf.packageContent, integrity: `${algorithm}-${entry.packageHash}` };
}

function ensureSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`;
}
