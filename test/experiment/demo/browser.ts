/** Headless Chromium, driven over the pipe of its DevTools protocol (chromedevtools.github.io), and a static server for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';

export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Serves a folder as any static server does. @returns its address, and what was asked for and is not there */
export async function serve(test: TestContext, folder: string): Promise<{ address: string; missing: string[] }> {
  const missing: string[] = [];
  const server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://localhost').pathname.replace(/\/$/, '/index.html');
    readFile(path.join(folder, name)).then(
      (content) => {
        response.setHeader('content-type', types[path.extname(name)] ?? 'application/octet-stream');
        response.end(content);
      },
      () => {
        missing.push(name);
        response.writeHead(404).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, missing };
}

export interface Page {
  /** Value of an expression, which may be a promise. @throws what the page throws */
  evaluate<T>(expression: string): Promise<T>;
  screenshot(): Promise<Buffer>;
}

/** Opens a page; the browser goes away with the test. */
export async function openPage(test: TestContext, address: string): Promise<Page> {
  const profile = await mkdtemp(path.join(tmpdir(), 'esta-chromium-'));
  const flags = [
    '--headless',
    '--no-sandbox',
    '--enable-unsafe-swiftshader',
    '--disable-quic',
    '--no-first-run',
    '--disable-sync',
  ];
  const quiet = ['--disable-background-networking', '--disable-component-update', '--remote-debugging-pipe'];
  const size = ['--window-size=940,740', `--user-data-dir=${profile}`];
  const browser = spawn(chromium!, [...flags, ...quiet, ...size, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  test.after(async () => {
    const ended = new Promise((resolve) => browser.once('exit', resolve));
    browser.kill('SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const send = protocolOf(browser);
  const { targetId } = await send('Target.createTarget', { url: address });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const inPage = (method: string, parameters: object) => send(method, parameters, sessionId as string);
  return {
    async evaluate(expression) {
      const { result, exceptionDetails } = await inPage('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: never }).value;
    },
    async screenshot() {
      const { data } = await inPage('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data as string, 'base64');
    },
  };
}

type Answer = Record<string, unknown>;

/** Messages are JSON texts that end with a zero byte; answers carry the number of their question. */
function protocolOf({ stdio }: ChildProcess) {
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  const input = stdio[3] as Writable;
  let text = '';
  let last = 0;
  (stdio[4] as Readable).on('data', (chunk) => {
    const parts = (text + chunk).split('\0');
    text = parts.pop()!;
    for (const part of parts) {
      const { id, result, error } = JSON.parse(part) as { id?: number; result: Answer; error?: object };
      const asked = id === undefined ? undefined : waiting.get(id);
      if (error) asked?.reject(new Error(JSON.stringify(error)));
      else asked?.resolve(result);
    }
  });
  return (method: string, params: object, sessionId?: string): Promise<Answer> => {
    const id = ++last;
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
}
