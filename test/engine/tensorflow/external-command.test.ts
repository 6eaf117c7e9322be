import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRunnable, networkFailure, runExternal } from '../../../src/engine/tensorflow/external-command.js';

const nodeScript = (script: string) => ({ command: process.execPath, arguments: ['-e', script], folder: '.' });
const explain = () => 'what to do';

test('a command that succeeds says nothing', async () => {
  await runExternal(nodeScript('console.error("a warning")'), explain);
});

test('a command that fails shows the end of its output and the hint', async () => {
  await assert.rejects(
    runExternal(nodeScript('console.log("first"); console.error("last"); process.exit(3)'), explain),
    {
      name: 'RequestError',
      message: /failed \(3\):\n {2}first\n {2}last$/,
      hint: 'what to do',
    },
  );
});

test('without network only that line is shown', async () => {
  const script =
    'console.error("npm error request failed, getaddrinfo ENOTFOUND example.org\\nstack"); process.exit(1)';
  await assert.rejects(runExternal(nodeScript(script), explain), {
    message: /failed: request failed, getaddrinfo ENOTFOUND example\.org$/,
  });
});

test('a command that does not exist', async () => {
  const missing = { command: 'no-such-command', arguments: [], folder: '.' };
  await assert.rejects(runExternal(missing, explain), { message: 'no-such-command is not on the PATH' });
  assert.deepEqual([await isRunnable('no-such-command'), await isRunnable(process.execPath)], [false, true]);
});

test('other failures do not speak of the network', () => {
  assert.equal(networkFailure('fatal error: tensorflow/c/c_api.h: No such file or directory'), undefined);
});
