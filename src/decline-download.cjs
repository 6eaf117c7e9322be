/**
 * Run by npm as `preinstall`, when the packages lie there and none of their own scripts has run. On Linux, onnxruntime-node
 * has one that downloads CUDA libraries (hundreds of MB) from nuget.org, and where that fails, so does the installation of
 * esta, which needs none of them. The script reads ONNXRUNTIME_NODE_INSTALL: nobody who has not set it gets the download.
 * A package cannot set it for those who install it (.npmrc, overrides and allowScripts count in their own project only).
 *
 * No TypeScript: it runs in a clone, too, before anything is compiled.
 */
const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const skip = "process.env.ONNXRUNTIME_NODE_INSTALL ||= 'skip'; // by esta\n";

try {
  const script = path.join(path.dirname(require.resolve('onnxruntime-node/package.json')), 'script', 'install.js');
  const text = readFileSync(script, 'utf8');
  if (!text.startsWith(skip)) {
    rmSync(script); // it may be a link into a store that other projects share
    writeFileSync(script, skip + text);
  }
} catch {
  // Not there, or not as it was: the installation goes on as it would have.
}
