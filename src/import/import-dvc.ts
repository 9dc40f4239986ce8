import type {JsonObject} from '../core/json.ts';
import {ok, type Result} from '../core/result.ts';
import {readDvcDocument, type DvcFiles, type DvcPath, type ImportNote} from './dvc-document.ts';
import {readLock} from './dvc-lock.ts';
import {nodesOf} from './dvc-nodes.ts';
import {readStages} from './dvc-stages.ts';
import {pipelineText} from './pipeline-text.ts';

export interface DvcImport {
  /** Text of dvc.yaml. */
  readonly text: string;
  readonly files: DvcFiles;
  /** A path relative to dvc.yaml's folder, as the pipeline's file has to write it. */
  readonly sourcePath: (path: string) => string;
}

export interface Imported {
  /** Text of pipeline.yaml. */
  readonly text: string;
  readonly nodes: number;
  readonly sources: number;
  /** By line, each once. */
  readonly notes: readonly ImportNote[];
}

/** Turns a DVC pipeline into the text of pipeline.yaml. Fails when the text is no dvc.yaml with stages. */
export async function importDvc({text, files, sourcePath}: DvcImport): Promise<Result<Imported>> {
  const read = await readDvcDocument(text);
  if (!read.ok) return read;
  const document = read.value;
  const notes = new Map<string, ImportNote>();
  const note = (path: DvcPath, message: string, hint: string): void => {
    const line = document.lineOf(path);
    notes.set(`${line} ${message}`, {line, message, hint});
  };
  const {stages, vars} = await readStages(document, files, note);
  noteRest(document.root, note);
  if (Object.keys(vars).length > 0) {
    const names = Object.keys(vars).map((name) => `\`${name}\``);
    const message = `values that commands refer to are copied to \`vars\`: ${names.join(', ')}`;
    note(
      [],
      message,
      'change them there; files that programs read by themselves, such as params.yaml, stay as they are',
    );
  }
  const lock = await readLock(files.read('dvc.lock'));
  const {sources, nodes} = nodesOf(stages, files, lock, sourcePath, note);
  const pipeline: JsonObject = {
    version: 1,
    ...(Object.keys(vars).length > 0 ? {vars} : {}),
    ...(Object.keys(sources).length > 0 ? {sources} : {}),
    nodes,
  };
  return ok({
    text: await pipelineText(pipeline),
    nodes: Object.keys(nodes).length,
    sources: Object.keys(sources).length,
    notes: [...notes.values()].sort((a, b) => a.line - b.line),
  });
}

function noteRest(root: JsonObject, note: (path: DvcPath, message: string, hint: string) => void): void {
  const hints: Readonly<Record<string, string>> = {
    metrics: 'metrics that a stage lists are printed at the end of a run',
    plots: 'draw them in a node of their own',
    params: 'files that a stage reads belong to its `inputs`',
    artifacts: 'keep names and labels of models where you publish them',
  };
  for (const key of Object.keys(root)) {
    if (key !== 'stages' && key !== 'vars')
      note([key], `\`${key}\` beside \`stages\` left out`, hints[key] ?? 'nothing stands for it');
  }
}
