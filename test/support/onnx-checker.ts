import {spawnSync} from 'node:child_process';

const SCRIPT = `
import sys, onnx
for path in sys.argv[1:]:
    onnx.checker.check_model(onnx.load(path), full_check=True)
`;

/** A Python interpreter with the package onnx: the one on the PATH or the system's. Undefined where neither has it. */
export function pythonWithOnnx(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', 'import onnx']).status === 0);
}

/** What the reference checker of ONNX, shape inference included, says against the files; empty when it accepts them. */
export function checkOnnxFiles(python: string, paths: readonly string[]): string {
  const {status, stderr} = spawnSync(python, ['-c', SCRIPT, ...paths], {encoding: 'utf8'});
  return status === 0 ? '' : stderr;
}
