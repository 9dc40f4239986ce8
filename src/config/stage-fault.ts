import type {FailureCode, SourceRange} from '../core/failure.ts';

/** Why a stage cannot be used. Without a place of its own it is shown where the pipeline names the stage. */
export interface StageFault {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly elsewhere?: {readonly range: SourceRange; readonly frame?: string};
}
