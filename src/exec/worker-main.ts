/**
 * Entry of a worker process: runs one stage job after another as ordered over the IPC channel. Its only argument is
 * the token of the marks that it writes into its output streams.
 */
import {err} from '../core/result.ts';
import {endMark, logMark} from './line-reader.ts';
import {createProgressThrottle} from './progress-throttle.ts';
import type {Answer, Order, Reply, StageJob} from './protocol.ts';
import {runStage, type StageOutcome} from './stage-run.ts';
import {failureOfThrown} from './thrown.ts';

interface CurrentJob {
  readonly id: number;
  readonly abort: AbortController;
  /** Ends the job early: its promise can no longer be trusted to settle. */
  readonly giveUp: (thrown: unknown) => void;
}

// Taken before a stage can replace them, and hidden: some packages behave differently when they see a parent process.
const {stdout, stderr} = process;
const send = process.send?.bind(process);
const token = process.argv[2] ?? '';
if (!send) {
  stderr.write('this file is started by mixdown, not by hand\n');
  process.exit(2);
}
delete process.send;
process.argv.length = 2;

let current: CurrentJob | undefined;

process.on('message', (order: Order) => {
  if (order.type === 'run') void perform(order.id, order.job);
  else if (current?.id === order.id) current.abort.abort(new Error(`the job was stopped: ${order.reason}`));
});
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', (thrown) => {
  if (current) current.giveUp(thrown);
  else process.exit(1);
});
process.on('beforeExit', () => {
  current?.giveUp(new Error("the stage's promise never settled, and nothing is left that could settle it"));
});

async function perform(id: number, job: StageJob): Promise<void> {
  const abort = new AbortController();
  const throttle = createProgressThrottle((fraction, message) => {
    reply({type: 'progress', id, fraction, ...(message === undefined ? {} : {message})});
  });
  const mark = logMark(token);
  const log = (text: string): void => {
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    stdout.write(lines.map((line) => `${mark}${line}\n`).join(''));
  };
  const answer = await new Promise<Answer>((resolve) => {
    const giveUp = (thrown: unknown): void => {
      resolve({result: err(failureOfThrown(thrown)), rssBytes: process.memoryUsage.rss(), retire: true});
    };
    current = {id, abort, giveUp};
    // A job that waits for nothing would wait for ever if the channel alone kept the process alive.
    process.channel?.unref();
    const settle = ({result, unloadable}: StageOutcome): void => {
      resolve({result, rssBytes: process.memoryUsage.rss(), retire: unloadable});
    };
    runStage(job, {signal: abort.signal, log, progress: throttle.report}).then(settle, giveUp);
  });
  process.channel?.ref();
  current = undefined;
  throttle.dispose();
  process.chdir('/');
  stdout.write(endMark(token, id));
  stderr.write(endMark(token, id));
  reply({type: 'done', id, answer});
}

function reply(message: Reply): void {
  send?.(message, undefined, undefined, ignoreError);
}

/** The parent is gone, which 'disconnect' reports as well. */
function ignoreError(): void {}
