import type {NodeCheck} from '../core/pin-check.ts';
import type {NodeId} from '../core/pipeline.ts';
import {checkLines} from './check-text.ts';
import {listText} from './count-text.ts';
import type {JunitCase} from './junit.ts';

/** A node's name is the class, its variant the case. */
export function caseName(node: NodeId): Pick<JunitCase, 'classname' | 'name'> {
  const [, name = node, variant = name] = /^([^[]*)\[(.*)\]$/s.exec(node) ?? [];
  return {classname: name, name: variant};
}

/** How a node stands to its pin, as a test case. One that only follows others is skipped: those are the failures. */
export function checkCase(check: NodeCheck): Omit<JunitCase, 'wallMs'> {
  const {node, verdict, follows} = check;
  const name = caseName(node);
  if (verdict === 'fresh') return name;
  if (follows.length > 0) {
    return {...name, trouble: {kind: 'skipped', message: `${verdict} only because of ${listText(follows, 3)}`}};
  }
  const [first, ...rest] = checkLines(check);
  const message = [verdict, ...(first === undefined ? [] : [first])].join(': ');
  return {...name, trouble: {kind: 'failure', type: verdict, message, text: [message, ...rest].join('\n')}};
}
