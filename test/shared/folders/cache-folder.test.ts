import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { userCacheFolder } from '../../../src/shared/folders/cache-folder.js';

test('an empty XDG_CACHE_HOME is one that is not set, as its specification says', () => {
  const own = path.join(homedir(), '.cache');
  assert.equal(userCacheFolder({ XDG_CACHE_HOME: '/caches' }), '/caches');
  assert.equal(userCacheFolder({ XDG_CACHE_HOME: '' }), own);
  assert.equal(userCacheFolder({}), own);
});
