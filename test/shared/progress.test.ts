import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createProgress, formatSeconds } from '../../src/shared/progress.js';

/** A stream that keeps what is written. */
class Recorded extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 120;
  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

test('a pipe gets a line when the interval is over, and a last one', () => {
  const stream = new Recorded(false);
  let time = 0;
  const progress = createProgress(stream, { now: () => time });
  progress.start('train', 100, { epoch: '1/2' });
  for (let step = 1; step <= 100; step++) {
    time += 250; // 25 s in all
    progress.update(step, { loss: (1 / step).toFixed(2) });
  }
  progress.stop();
  progress.stop();
  assert.deepEqual(stream.text.split('\n'), [
    'train: 40/100, epoch 1/2, loss 0.03, 15s left',
    'train: 80/100, epoch 1/2, loss 0.01, 5s left',
    'train: 100/100, epoch 1/2, loss 0.01',
    '',
  ]);
});

test('what was done before an interruption does not count for the time left', () => {
  const stream = new Recorded(false);
  let time = 0;
  const progress = createProgress(stream, { now: () => time });
  progress.start('train', 100, {}, 80);
  time = 10_000;
  progress.update(90);
  assert.equal(stream.text, 'train: 90/100, 10s left\n');
});

test('a new stage ends the one before it', () => {
  const stream = new Recorded(false);
  const progress = createProgress(stream, { now: () => 0 });
  progress.start('fit', 2);
  progress.update(2);
  progress.start('train', 5);
  progress.line('a note');
  progress.stop();
  assert.equal(stream.text, 'fit: 2/2\na note\n');
});

test('a terminal gets a bar', () => {
  const stream = new Recorded(true);
  const progress = createProgress(stream);
  progress.start('train', 4, { epoch: '1/2' });
  progress.update(2, { loss: '0.50' });
  progress.line('a note');
  progress.update(4);
  progress.stop();
  assert.match(stream.text, /train .*0%.*epoch 1\/2/);
  assert.match(stream.text, /a note\n/);
  assert.match(stream.text, /50% epoch 1\/2, loss 0\.50/);
});

test('seconds for people', () => {
  assert.deepEqual([4.4, 75, 3600, 3 * 3600 + 65 * 1].map(formatSeconds), ['4s', '1m15s', '1h00m', '3h01m']);
});
