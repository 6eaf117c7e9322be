import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enginesFolder } from '../../src/engine/engines-folder.js';

test('engines are kept in $ESTA_ENGINES, else in the data folder of the user', () => {
  assert.equal(enginesFolder({ ESTA_ENGINES: '/opt/engines', XDG_DATA_HOME: '/data' }), '/opt/engines');
  assert.equal(enginesFolder({ XDG_DATA_HOME: '/data' }), '/data/esta/engines');
  assert.match(enginesFolder({}), /\.local.share.esta.engines$/);
});
