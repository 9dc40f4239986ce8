import type {Failure} from '../../core/failure.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import {verifyStore} from '../../store/verify.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {findProject} from '../project.ts';
import {warnOnce} from '../warnings.ts';
import {openWorkspace} from '../workspace.ts';

/** Reads the whole store. Exit code 1 when something was damaged; it was set aside and is made again when needed. JSON: the report. */
export async function verifyCommand(context: Context): Promise<ExitCode> {
  const {globals, io, paint} = context;
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const opened = openWorkspace(project.value, 'verify', warnExceptDamage(context));
  if (!opened.ok) return context.fail(opened.error);
  const {store} = opened.value;
  const live = io.stderr.isTTY && !globals.quiet && !globals.json;
  let toldAt = 0;
  const report = await verifyStore(store, {
    onProgress({blobs, totalBlobs, bytes, totalBytes}) {
      const now = io.now();
      if (!live || now - toldAt < 100) return;
      toldAt = now;
      io.stderr.write(`\r\u001b[K${blobs}/${totalBlobs} blobs, ${bytesText(bytes)} of ${bytesText(totalBytes)}`);
    },
  });
  if (live) io.stderr.write('\r\u001b[K');
  store.close();
  const damaged = report.damagedBlobs.length + report.damagedRecords.length + report.danglingRecords.length;
  if (globals.json) context.printJson(report);
  else {
    const read = `${countText(report.blobs, 'blob')}, ${bytesText(report.bytes)}, ${countText(report.records, 'result')}`;
    const lines = [`read ${read}`];
    if (damaged === 0) lines.push(paint.good('everything is whole'));
    for (const hash of report.damagedBlobs) lines.push(`${paint.bad('damaged blob')} ${hash}`);
    for (const fingerprint of report.damagedRecords) lines.push(`${paint.bad('damaged result')} ${fingerprint}`);
    for (const {fingerprint, missing} of report.danglingRecords) {
      lines.push(`${paint.bad('incomplete result')} ${fingerprint}: blob ${missing} is gone`);
    }
    if (damaged > 0) lines.push('they were set aside; `mixdown run` makes again what is needed');
    context.print(lines.join('\n'));
  }
  return damaged === 0 ? exitCodes.done : exitCodes.nodeFailed;
}

/** What is damaged is in the report; warnings are for what else is wrong. */
function warnExceptDamage(context: Context): (failure: Failure) => void {
  const warn = warnOnce(context);
  return (failure) => {
    if (failure.code !== 'blob-corrupt' && failure.code !== 'record-corrupt') warn(failure);
  };
}
