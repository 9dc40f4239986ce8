import {afterEach, expect, it, vi} from 'vitest';
import {failure} from '../../../../src/core/failure.ts';
import {err, ok} from '../../../../src/core/result.ts';
import type {JobState} from '../../../../src/exec/slurm/client.ts';
import {Confirmation, type ConfirmationOptions} from '../../../../src/exec/slurm/confirmation.ts';

afterEach(() => vi.useRealTimers());

type Answer = Awaited<ReturnType<ConfirmationOptions['ask']>>;

const ours: JobState = {state: 'RUNNING', host: 'n1'};
const away = err({failure: failure('no-executor', 'squeue: timed out'), passing: true});

/** One that asks whoever is put into `answers`, and notes what was written. */
function confirmation() {
  const abort = new AbortController();
  const answers: ((answer: Answer) => void)[] = [];
  const written: string[] = [];
  const made = new Confirmation({
    ask: () => new Promise((resolve) => void answers.push(resolve)),
    host: 'n1',
    signal: abort.signal,
    onEnded: () => {
      written.push('ended');
      abort.abort();
    },
  });
  return {abort, answers, written, made, add: (name: string) => made.add(async () => void written.push(name))};
}

it('writes a result when Slurm has said that the job still runs here', async () => {
  const {answers, written, made, add} = confirmation();
  add('a');
  expect(written).toEqual([]);
  answers[0]!(ok(ours));
  await made.close();
  expect(written).toEqual(['a']);
});

it.each<[string, JobState | undefined]>([
  ['it was cancelled', {state: 'CANCELLED', host: 'n1'}],
  ['it is being ended', {state: 'COMPLETING', host: 'n1'}],
  ['it is over its time', {state: 'TIMEOUT', host: 'n1'}],
  ['it was queued again', {state: 'PENDING', host: ''}],
  ['it runs elsewhere since', {state: 'RUNNING', host: 'n2'}],
  ['it is not there', undefined],
])('writes nothing when %s', async (_, job) => {
  const {answers, written, made, add} = confirmation();
  add('a');
  answers[0]!(ok(job));
  await made.close();
  expect(written).toEqual(['ended']);
});

it('writes nothing when the signal was here before the answer', async () => {
  const {abort, answers, written, made, add} = confirmation();
  add('a');
  abort.abort();
  answers[0]!(ok(ours));
  await made.close();
  expect(written).toEqual([]);
});

it('an answer holds for jobs that were over before the question', async () => {
  const {answers, written, made, add} = confirmation();
  add('a');
  add('b');
  const closed = made.close();
  answers[0]!(ok(ours));
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  expect(written).toEqual(['a']);
  answers[1]!(ok({state: 'CANCELLED', host: 'n1'}));
  await closed;
  expect(written).toEqual(['a', 'ended']);
});

it('asks once for all that ended since the last question, and not without end', async () => {
  vi.useFakeTimers();
  const {answers, written, made, add} = confirmation();
  add('a');
  add('b');
  add('c');
  answers[0]!(ok(ours));
  await vi.advanceTimersByTimeAsync(100);
  expect(answers).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(400);
  answers[1]!(ok(ours));
  await made.close();
  expect([answers.length, written]).toEqual([2, ['a', 'b', 'c']]);
});

it('waits for its own signal where nobody answers', async () => {
  vi.useFakeTimers();
  const told = confirmation();
  told.add('a');
  told.answers[0]!(away);
  await vi.advanceTimersByTimeAsync(1000);
  expect(told.written).toEqual([]);
  told.abort.abort();
  await vi.advanceTimersByTimeAsync(1000);
  expect(told.written).toEqual([]);

  const untold = confirmation();
  untold.add('a');
  untold.answers[0]!(away);
  await vi.advanceTimersByTimeAsync(2000);
  expect(untold.written).toEqual(['a']);
});
