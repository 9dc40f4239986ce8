/** The build API: what `mixdown run` and `mixdown plan` do, for programs. */
export {build, plan, type BuildOptions, type ProjectOptions} from './cli/api.ts';
export type {Emit, Event} from './core/events.ts';
export type {Diagnostic, Failure, FailureCode, SourceRange} from './core/failure.ts';
export type {NodeId, Pipeline, PipelineNode} from './core/pipeline.ts';
export type {Outcome, Plan, PlannedNode, PlanStatus} from './core/plan.ts';
export type {StaleReason} from './core/reason.ts';
export type {Result} from './core/result.ts';
export type {EngineName} from './core/tensor-engine.ts';
export type {Artifact} from './core/tree.ts';
export type {BuildSummary, FailureMode, NodeResult} from './engine/run-context.ts';
