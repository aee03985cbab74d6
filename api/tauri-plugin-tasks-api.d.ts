// core/client/client.d.ts
import type { TaskMap } from "../types/kind.js";
import type { TasksClient } from "../types/tasks-client.js";
export declare function createTasks<M extends TaskMap>(): TasksClient<M>;

// core/errors/task-error.d.ts
import type { CancelReason, ErrorKind, TimeLimit } from "../ipc/bindings.js";
export type TaskErrorKind = ErrorKind | "failed" | "panic" | "unserializable" | "runtimeEnded" | "cancelled" | "timedOut" | "permission" | "ipc" | "detached" | (string & {});
export declare class TaskError extends Error {
    readonly name: string;
    readonly kind: TaskErrorKind;
    readonly data: unknown;
    constructor(kind: TaskErrorKind, message: string, data?: unknown, options?: {
        cause?: unknown;
    });
}
declare class FailedError<E> extends TaskError {
    readonly name = "TaskFailedError";
    readonly kind: "failed";
    readonly error: E;
    constructor(message: string, error: E);
}
export type TaskFailedError<E = unknown> = FailedError<E>;
export declare const TaskFailedError: {
    new <E>(message: string, error: E): TaskFailedError<E>;
    readonly prototype: TaskFailedError<unknown>;
};
export declare class TaskPanicError extends TaskError {
    readonly name = "TaskPanicError";
    readonly kind: "panic" | "unserializable" | "runtimeEnded";
    constructor(message: string, kind?: "panic" | "unserializable" | "runtimeEnded");
}
export declare class TaskCancelledError extends TaskError {
    readonly name = "TaskCancelledError";
    readonly kind: "cancelled";
    readonly reason: CancelReason;
    constructor(message: string, reason: CancelReason);
}
export declare class TaskTimedOutError extends TaskError {
    readonly name = "TaskTimedOutError";
    readonly kind: "timedOut";
    readonly limit: TimeLimit;
    constructor(message: string, limit: TimeLimit);
}
export declare class TaskPermissionError extends TaskError {
    readonly name = "TaskPermissionError";
    readonly kind: "permission" | "notAllowed";
    constructor(kind: "permission" | "notAllowed", message: string, data?: unknown, options?: {
        cause?: unknown;
    });
}
export declare class TaskInputError extends TaskError {
    readonly name = "TaskInputError";
    readonly kind: "invalidInput";
    readonly path: string;
    constructor(message: string, path: string, data?: unknown, options?: {
        cause?: unknown;
    });
}
export declare class TaskNotFoundError extends TaskError {
    readonly name = "TaskNotFoundError";
    readonly kind: "notFound";
    constructor(message: string, data?: unknown);
}
export declare class OutcomeExpiredError extends TaskError {
    readonly name = "OutcomeExpiredError";
    readonly kind: "outcomeExpired";
    constructor(message: string, data?: unknown, options?: {
        cause?: unknown;
    });
}
export declare class TaskQueueFullError extends TaskError {
    readonly name = "TaskQueueFullError";
    readonly kind: "queueFull";
    readonly limit: number;
    constructor(message: string, limit: number, data?: unknown);
}
export type TaskQuota = "liveTasks" | "startsPerSecond" | "startsAtOnce" | "bytesOnHand" | "bytesPerCall" | (string & {});
export declare class TaskQuotaError extends TaskError {
    readonly name = "TaskQuotaError";
    readonly kind: "quotaExceeded";
    readonly quota: TaskQuota;
    readonly limit: number;
    constructor(message: string, quota: TaskQuota, limit: number, data?: unknown);
}
export declare class TaskKeyTakenError extends TaskError {
    readonly name = "TaskKeyTakenError";
    readonly kind: "keyTaken";
    readonly id: string | null;
    constructor(message: string, id: string | null, data?: unknown);
}
export declare class TaskReaderGoneError extends TaskError {
    readonly name = "TaskReaderGoneError";
    readonly kind: "readerGone";
    readonly missed: number;
    constructor(message: string, missed: number, data?: unknown);
}
export {};

// core/index.d.ts
export { createTasks } from "./client/client.js";
export type { TaskErrorKind, TaskQuota } from "./errors/task-error.js";
export { OutcomeExpiredError, TaskCancelledError, TaskError, TaskFailedError, TaskInputError, TaskKeyTakenError, TaskNotFoundError, TaskPanicError, TaskPermissionError, TaskQueueFullError, TaskQuotaError, TaskReaderGoneError, TaskTimedOutError, } from "./errors/task-error.js";
export type { CancelReason, ErrorKind, ErrorSummary, FailureKind, LastRun, LimitOf, OnConflict, Progress, QueuePlace, ScheduleSnapshot, TaskCounts, TaskSnapshot, TaskStatus, TimeLimit, Unit, } from "./ipc/bindings.js";
export type { BatchHandle } from "./types/batch-handle.js";
export type { BytesMethod, JsonItem, TaskItems } from "./types/items.js";
export type { TaskMap, TaskName, TaskTypes } from "./types/kind.js";
export type { AttachOptions, BatchOptions, CallbackEvent, FollowOptions, ListOptions, PaceOptions, RerunOptions, StartOptions, WatchOptions, } from "./types/options.js";
export type { TaskOutcome } from "./types/outcome.js";
export type { CancelQuery, TaskQuery, WithoutUndefined } from "./types/query.js";
export type { SchedulesClient } from "./types/schedules-client.js";
export type { SnapshotFor, TaskPage, TaskProgress, TaskSnapshotOf } from "./types/snapshot.js";
export type { StreamIterationOptions, TaskStream } from "./types/stream.js";
export type { HandleFor, TaskHandle } from "./types/task-handle.js";
export type { StartArguments, TasksClient } from "./types/tasks-client.js";

// core/ipc/bindings.d.ts
export type BatchOptions = {
    concurrency?: number | null;
    priority?: number;
    label?: string | null;
    tags?: string[];
};
export type CancelReason = "user" | "signal" | "ownerClosed" | "shutdown" | "parent" | "replaced" | "unread" | (string & {});
export type Chunk = {
    sequence: number;
    missed: number;
    done: boolean;
    attempt: number;
    items: unknown[];
};
export type ErrorKind = "protocolMismatch" | "sessionGone" | "unknownTask" | "unknownSchedule" | "notAllowed" | "invalidInput" | "invalidId" | "notFound" | "alreadyEnded" | "notEnded" | "tooLarge" | "unserializable" | "outcomeExpired" | "queueFull" | "quotaExceeded" | "keyTaken" | "notQueued" | "notPausable" | "notRerunnable" | "invalidOptions" | "locked" | "readerGone" | "stopped" | "invalidItem" | "shuttingDown";
export type ErrorSummary = {
    kind: FailureKind;
    message: string;
};
export type FailureKind = "error" | "panic" | "unserializable" | "runtimeEnded";
export type LastRun = {
    id: TaskId;
    startedAt: number;
    endedAt: number | null;
    status: TaskStatus;
    error: ErrorSummary | null;
};
export type LimitOf = {
    type: "app";
} | {
    type: "task";
    name: string;
} | {
    type: "group";
    name: string;
};
export type ListChange = {
    watch: number;
    changed: TaskSnapshot[];
    progressed: ProgressChange[];
    removed: TaskId[];
};
export type OnConflict = "refuse" | "join" | "replace" | "append";
export type Outcome = {
    status: "completed";
    data: {
        output: unknown;
    };
} | {
    status: "failed";
    data: TaskFailure;
} | {
    status: "cancelled";
    data: {
        reason: CancelReason;
    };
} | {
    status: "timedOut";
    data: {
        limit: TimeLimit;
        message: string;
    };
};
export type Progress = {
    completed: number;
    total: number | null;
    fraction: number | null;
    unit: Unit;
    rate: number | null;
    etaMs: number | null;
    message: string | null;
    detail: unknown | null;
};
export type ProgressChange = {
    id: TaskId;
    sequence: number;
    progress: Progress;
};
export type QueuePlace = {
    position: number | null;
    priority: number;
    held: boolean;
};
export type ScheduleSnapshot = {
    name: string;
    task: string;
    every: number | null;
    cron: string | null;
    paused: boolean;
    nextRunAt: number | null;
    lastRun: LastRun | null;
    running: number;
    failures: number;
    skipped: number;
};
export type SessionInfo = {
    protocol: number;
    leaseMs: number;
};
export type SessionMessage = {
    message: number;
    events: TaskEvent[];
    lists: ListChange[];
    removed?: TaskId[];
    more: boolean;
};
export type StartOptions = {
    priority?: number;
    held?: boolean;
    key?: string | null;
    onConflict?: OnConflict;
    label?: string | null;
    tags?: string[];
    delayMs?: number | null;
    timeoutMs?: number | null;
    deadlineMs?: number | null;
};
export type Started = {
    snapshot: TaskSnapshot;
    outcome: Outcome | null;
};
export type StatusChange = {
    status: TaskStatus;
    at: number;
    attempt: number;
    cancelReason: CancelReason | null;
    timeLimit: TimeLimit | null;
    overdue: boolean;
    nextAttemptAt: number | null;
    endedAt: number | null;
    outcome: Outcome | null;
    error: ErrorSummary | null;
};
export type TaskChange = {
    type: "progress";
    data: Progress;
} | {
    type: "status";
    data: StatusChange;
} | {
    type: "queue";
    data: QueuePlace;
} | {
    type: "waitsFor";
    data: TaskId[];
} | {
    type: "gap";
    data: {
        missed: number;
    };
};
export type TaskCounts = {
    task: string | null;
    limit: number | null;
    group: string | null;
    queued: number;
    running: number;
    retrying: number;
    cancelling: number;
    completed: number;
    failed: number;
    cancelled: number;
    timedOut: number;
};
export type TaskEvent = {
    id: TaskId;
    sequence: number;
    change: TaskChange;
};
export type TaskFailure = {
    kind: FailureKind;
    message: string;
    error: unknown | null;
};
export type TaskFilter = {
    task?: string[] | null;
    status?: TaskStatus[] | null;
    tag?: string[] | null;
    key?: string[] | null;
    parent?: TaskId[] | null;
};
export type TaskId = string;
export type TaskPage = {
    tasks: TaskSnapshot[];
    next: number | null;
};
export type TaskSnapshot = {
    id: TaskId;
    order: number;
    task: string;
    status: TaskStatus;
    sequence: number;
    owner: string | null;
    progress: Progress;
    attempt: number;
    cancelReason: CancelReason | null;
    timeLimit: TimeLimit | null;
    overdue: boolean;
    queue: QueuePlace | null;
    nextAttemptAt: number | null;
    createdAt: number;
    startedAt: number | null;
    endedAt: number | null;
    input: unknown | null;
    error: ErrorSummary | null;
    key: string | null;
    label: string | null;
    tags: string[];
    parent: TaskId | null;
    waitsFor: TaskId[];
    members: number | null;
};
export type TaskStatus = "queued" | "running" | "retrying" | "cancelling" | "completed" | "failed" | "cancelled" | "timedOut";
export type TimeLimit = "timeout" | "attemptTimeout" | "stalled" | "deadline";
export type Unit = "none" | "bytes" | "files" | "items";
export type Visibility = {
    hidden: boolean;
    change: number;
};
export type WatchTarget = {
    type: "task";
    data: {
        id: string;
    };
} | {
    type: "list";
    data: {
        watch: number;
        filter: TaskFilter;
    };
};
export type WireError = {
    kind: ErrorKind;
    message: string;
    data: unknown | null;
};

// core/types/async-disposable.d.ts
export type AsyncDisposableIfKnown = SymbolConstructor extends {
    readonly asyncDispose: infer S extends symbol;
} ? {
    readonly [K in S]: () => Promise<void>;
} : Record<never, never>;

// core/types/batch-handle.d.ts
import type { TaskTypes } from "./kind.js";
import type { WatchOptions } from "./options.js";
import type { TaskOutcome } from "./outcome.js";
import type { TaskSnapshotOf } from "./snapshot.js";
import type { TaskHandle } from "./task-handle.js";
export interface BatchHandle<T extends TaskTypes = TaskTypes> extends Omit<TaskHandle<T>, "result" | "outcome" | "rerun" | "items" | "chunks" | "bytes" | "stream"> {
    readonly result: Promise<PromiseSettledResult<T["output"]>[]>;
    readonly outcome: Promise<TaskOutcome<TaskOutcome<T["output"], T["error"]>[]>>;
    watchMembers(callback: (members: TaskSnapshotOf<T>[]) => void, options?: WatchOptions): Promise<() => void>;
}

// core/types/items.d.ts
export interface TaskItems<T> extends AsyncIterableIterator<T> {
    readonly position: number;
    readonly missed: number;
    readonly attempt: number;
    next(): Promise<IteratorResult<T, undefined>>;
    return(): Promise<IteratorReturnResult<undefined>>;
    throw(error?: unknown): Promise<IteratorReturnResult<undefined>>;
    [Symbol.asyncIterator](): TaskItems<T>;
}
export type JsonItem<I> = Exclude<I, Uint8Array>;
export type BytesMethod<I> = I extends Uint8Array ? () => TaskItems<Uint8Array> : I extends object | string | number | bigint | boolean | symbol | null | undefined ? never : () => TaskItems<Uint8Array>;

// core/types/kind.d.ts
export type TaskTypes = {
    input: unknown;
    output: unknown;
    error: unknown;
    detail: unknown;
    item: unknown;
};
export type TaskMap = {
    [name: string]: TaskTypes;
};
export type TaskName<M extends TaskMap> = keyof M & string;

// core/types/options.d.ts
import type { OnConflict } from "../ipc/bindings.js";
export interface StartOptions {
    readonly signal?: AbortSignal | undefined;
    readonly priority?: number | undefined;
    readonly held?: boolean | undefined;
    readonly key?: string | undefined;
    readonly onConflict?: OnConflict | undefined;
    readonly label?: string | undefined;
    readonly tags?: readonly string[] | undefined;
    readonly delayMs?: number | undefined;
    readonly timeoutMs?: number | undefined;
    readonly deadlineMs?: number | undefined;
}
export interface BatchOptions {
    readonly signal?: AbortSignal | undefined;
    readonly concurrency?: number | undefined;
    readonly priority?: number | undefined;
    readonly label?: string | undefined;
    readonly tags?: readonly string[] | undefined;
}
export interface ListOptions {
    readonly limit?: number | undefined;
    readonly after?: number | null | undefined;
}
export interface PaceOptions {
    readonly everyMs?: number | undefined;
}
export interface WatchOptions extends PaceOptions {
    readonly signal?: AbortSignal | undefined;
}
export interface RerunOptions {
    readonly signal?: AbortSignal | undefined;
}
export type CallbackEvent = {
    readonly type: string;
    readonly signal?: undefined;
} | {
    readonly event: string;
    readonly payload: unknown;
    readonly signal?: undefined;
};
export interface FollowOptions {
    readonly signal?: AbortSignal | undefined;
}
export interface AttachOptions extends FollowOptions {
    readonly from?: number | undefined;
}

// core/types/outcome.d.ts
import type { TaskCancelledError, TaskFailedError, TaskPanicError, TaskTimedOutError } from "../errors/task-error.js";
export type TaskOutcome<O = unknown, E = unknown> = {
    readonly status: "completed";
    readonly output: O;
} | {
    readonly status: "failed";
    readonly error: TaskFailedError<E> | TaskPanicError;
} | {
    readonly status: "cancelled";
    readonly error: TaskCancelledError;
} | {
    readonly status: "timedOut";
    readonly error: TaskTimedOutError;
};

// core/types/query.d.ts
import type { TaskStatus } from "../ipc/bindings.js";
export interface TaskQuery<K extends string = string> {
    readonly task?: K | readonly K[] | undefined;
    readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
    readonly tag?: string | readonly string[] | undefined;
    readonly key?: string | readonly string[] | undefined;
    readonly parent?: string | readonly string[] | undefined;
}
export type WithoutUndefined<Q> = {
    [F in keyof Q]: F extends keyof TaskQuery | "all" ? Exclude<Q[F], undefined | null> : never;
};
type With<F extends keyof TaskQuery, K extends string> = {
    readonly [G in F]-?: Exclude<TaskQuery<K>[G], undefined>;
} & {
    readonly [G in Exclude<keyof TaskQuery, F>]?: Exclude<TaskQuery<K>[G], undefined>;
};
export type CancelQuery<K extends string = string> = {
    [F in keyof TaskQuery]-?: With<F, K> & {
        readonly all?: never;
    };
}[keyof TaskQuery] | ({
    readonly all: true;
} & {
    readonly [F in keyof TaskQuery]?: never;
});
export {};

// core/types/schedules-client.d.ts
import type { ScheduleSnapshot, TaskSnapshot } from "../ipc/bindings.js";
export interface SchedulesClient {
    schedules(): Promise<ScheduleSnapshot[]>;
    trigger(name: string): Promise<TaskSnapshot>;
    pauseSchedule(name: string): Promise<void>;
    resumeSchedule(name: string): Promise<void>;
}

// core/types/snapshot.d.ts
import type { Progress, TaskSnapshot } from "../ipc/bindings.js";
import type { TaskMap, TaskName, TaskTypes } from "./kind.js";
export type TaskProgress<D = unknown> = Omit<Progress, "detail"> & {
    detail: D | null;
};
export type TaskSnapshotOf<T extends TaskTypes, N extends string = string> = Omit<TaskSnapshot, "task" | "input" | "progress"> & {
    task: N;
    input: T["input"] | null;
    progress: TaskProgress<T["detail"]>;
};
export type SnapshotFor<M extends TaskMap, K extends TaskName<M>> = [
    K
] extends [
    never
] ? TaskSnapshot : {
    [N in K]: TaskSnapshotOf<M[N], N>;
}[K];
export interface TaskPage<S = TaskSnapshot> {
    readonly tasks: S[];
    readonly next: number | null;
}

// core/types/stream.d.ts
export type TaskStream<T> = ReadableStream<T> & {
    [Symbol.asyncIterator](options?: StreamIterationOptions): AsyncIterableIterator<T, undefined>;
    values(options?: StreamIterationOptions): AsyncIterableIterator<T, undefined>;
};
export interface StreamIterationOptions {
    readonly preventCancel?: boolean | undefined;
}

// core/types/task-handle.d.ts
import type { QueuePlace, TaskStatus } from "../ipc/bindings.js";
import type { AsyncDisposableIfKnown } from "./async-disposable.js";
import type { BytesMethod, JsonItem, TaskItems } from "./items.js";
import type { TaskMap, TaskName, TaskTypes } from "./kind.js";
import type { CallbackEvent, PaceOptions, RerunOptions } from "./options.js";
import type { TaskOutcome } from "./outcome.js";
import type { TaskProgress, TaskSnapshotOf } from "./snapshot.js";
import type { TaskStream } from "./stream.js";
export interface TaskHandle<T extends TaskTypes = TaskTypes> extends AsyncDisposableIfKnown {
    readonly id: string;
    readonly status: TaskStatus;
    readonly snapshot: TaskSnapshotOf<T>;
    onProgress(callback: (progress: TaskProgress<T["detail"]>) => void, options?: PaceOptions): () => void;
    onStatus(callback: (status: TaskStatus, snapshot: TaskSnapshotOf<T>) => void): () => void;
    onQueue(callback: (place: QueuePlace | null) => void): () => void;
    items(): TaskItems<JsonItem<T["item"]>>;
    chunks(): TaskItems<JsonItem<T["item"]>[]>;
    readonly bytes: BytesMethod<T["item"]>;
    stream(): TaskStream<T["item"]>;
    readonly result: Promise<T["output"]>;
    readonly outcome: Promise<TaskOutcome<T["output"], T["error"]>>;
    readonly closed: Promise<void>;
    cancel(reason?: string | object): Promise<void>;
    pause(): Promise<void>;
    resume(): Promise<void>;
    setPriority(priority: number): Promise<void>;
    rerun(options?: RerunOptions | CallbackEvent): Promise<TaskHandle<T>>;
    remove(): Promise<void>;
    detach(): void;
    toJSON(): {
        id: string;
        task: string;
        status: TaskStatus;
    };
}
export type HandleFor<M extends TaskMap, K extends TaskName<M>> = [
    K
] extends [
    never
] ? TaskHandle : {
    [N in K]: TaskHandle<M[N]>;
}[K];

// core/types/tasks-client.d.ts
import type { LimitOf, TaskCounts, TaskSnapshot } from "../ipc/bindings.js";
import type { BatchHandle } from "./batch-handle.js";
import type { TaskMap, TaskName } from "./kind.js";
import type { AttachOptions, BatchOptions, FollowOptions, ListOptions, RerunOptions, StartOptions, WatchOptions } from "./options.js";
import type { CancelQuery, TaskQuery, WithoutUndefined } from "./query.js";
import type { SchedulesClient } from "./schedules-client.js";
import type { SnapshotFor, TaskPage } from "./snapshot.js";
import type { HandleFor, TaskHandle } from "./task-handle.js";
export type StartArguments<I> = null extends I ? [
    input?: I,
    options?: StartOptions
] : [
    input: I,
    options?: StartOptions
];
export interface TasksClient<M extends TaskMap> extends SchedulesClient {
    start<K extends TaskName<M>>(name: K, ...args: StartArguments<M[K]["input"]>): Promise<TaskHandle<M[K]>>;
    attach<K extends TaskName<M>>(name: K, id: string, options?: AttachOptions): Promise<TaskHandle<M[K]>>;
    attachAll<K extends TaskName<M> = never>(query?: TaskQuery<K>, options?: FollowOptions): Promise<HandleFor<M, K>[]>;
    batch<K extends TaskName<M>>(name: K, inputs: readonly M[K]["input"][], options?: BatchOptions): Promise<BatchHandle<M[K]>>;
    attachBatch<K extends TaskName<M>>(name: K, id: string, options?: FollowOptions): Promise<BatchHandle<M[K]>>;
    rerun<K extends TaskName<M>>(name: K, id: string, options?: RerunOptions): Promise<TaskHandle<M[K]>>;
    list<K extends TaskName<M> = never>(query?: TaskQuery<K>, options?: ListOptions): Promise<TaskPage<SnapshotFor<M, K>>>;
    watch<K extends TaskName<M> = never>(query: TaskQuery<K>, callback: (snapshots: SnapshotFor<M, K>[]) => void, options?: WatchOptions): Promise<() => void>;
    get(id: string): Promise<TaskSnapshot>;
    cancelAll<Q extends CancelQuery<TaskName<M>>>(query: Q & WithoutUndefined<Q>, reason?: string): Promise<number>;
    counts(): Promise<TaskCounts[]>;
    setLimit(of: LimitOf, limit: number | null): Promise<void>;
}

// mocks/index.d.ts
export type { MockOptions, MockTask, OtherCaller, StartedTask, TasksMock, } from "./mock.js";
export { mockTasks } from "./mock-tasks.js";
export type { CommandName, PermissionName } from "./page/permissions.js";
export { failure, type MockFailure } from "./scripts/failure.js";
export type { MockContext, ProgressReport, Script, Scripts } from "./scripts/script.js";

// mocks/mock-tasks.d.ts
import type { TaskMap } from "../core/types/kind.js";
import type { MockOptions, TasksMock } from "./mock.js";
import type { Scripts } from "./scripts/script.js";
export declare function mockTasks<M extends TaskMap>(scripts: Scripts<M>, options?: MockOptions<M>): TasksMock<M>;

// mocks/mock.d.ts
import type { ScheduleSnapshot, SessionMessage, StartOptions, TaskSnapshot } from "../core/ipc/bindings.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { TaskSnapshotOf } from "../core/types/snapshot.js";
import type { StartArguments } from "../core/types/tasks-client.js";
import type { CommandName, PermissionName } from "./page/permissions.js";
import type { MockFailure } from "./scripts/failure.js";
import type { ProgressReport } from "./scripts/script.js";
export interface MockOptions<M extends TaskMap = TaskMap> {
    readonly concurrency?: number | {
        readonly [N in TaskName<M>]?: number;
    } | undefined;
    readonly showInput?: readonly TaskName<M>[] | undefined;
    readonly permissions?: {
        readonly deny?: readonly PermissionName[] | undefined;
    } | undefined;
    readonly window?: string | undefined;
    readonly ipc?: ((command: string, args: unknown) => unknown) | undefined;
    readonly leaseMs?: number | undefined;
}
export interface StartedTask<N extends string = string, T extends TaskTypes = TaskTypes> {
    readonly id: string;
    readonly name: N;
    readonly input: T["input"];
    readonly options: StartOptions;
}
export interface MockTask<T extends TaskTypes = TaskTypes> {
    readonly id: string;
    readonly name: string;
    readonly input: T["input"];
    readonly snapshot: TaskSnapshotOf<T>;
    readonly cancelled: boolean;
    progress(report: ProgressReport<T["detail"]>): void;
    emit(item: T["item"]): Promise<void>;
    complete(output: T["output"]): void;
    fail(error: MockFailure<T["error"]>): void;
    panic(message: string): void;
    retry(error: MockFailure<T["error"]>, delayMs?: number): void;
    stop(): void;
}
export interface OtherCaller<M extends TaskMap = TaskMap> {
    start<N extends TaskName<M>>(name: N, ...args: StartArguments<M[N]["input"]>): MockTask<M[N]>;
}
export interface TasksMock<M extends TaskMap = TaskMap> {
    readonly started: readonly {
        [N in TaskName<M>]: StartedTask<N, M[N]>;
    }[TaskName<M>][];
    task(id: string): MockTask<M[TaskName<M>]>;
    task<N extends TaskName<M>>(name: N, id: string): MockTask<M[N]>;
    last<N extends TaskName<M>>(name: N): MockTask<M[N]>;
    otherWindow(label: string): OtherCaller<M>;
    readonly app: OtherCaller<M>;
    addSchedule(name: string, task: TaskName<M>, more?: Partial<ScheduleSnapshot>): void;
    settle(): Promise<void>;
    reload(): void;
    disconnect(): void;
    reconnect(): void;
    restore(): void;
    refuse(command: CommandName, rejection: unknown, times?: number): void;
    hold(command: CommandName): () => void;
    calls(command: CommandName): readonly Readonly<Record<string, unknown>>[];
    readonly messages: readonly SessionMessage[];
    readonly tasks: readonly TaskSnapshot[];
    readonly watches: number;
    readonly followed: number;
    readonly sessions: number;
}

// mocks/page/permissions.d.ts
export type CommandName = "open" | "ack" | "start" | "rerun" | "batch" | "leave" | "cancel" | "cancelAll" | "pause" | "resume" | "setPriority" | "setLimit" | "counts" | "get" | "list" | "watch" | "unwatch" | "outcome" | "remove" | "read" | "cancelRead" | "schedules" | "trigger" | "pauseSchedule" | "resumeSchedule";
type Joined<Name extends string, By extends string> = Name extends `${infer First}${infer Rest}` ? First extends Lowercase<First> ? `${First}${Joined<Rest, By>}` : `${By}${Lowercase<First>}${Joined<Rest, By>}` : Name;
export type PermissionName = Joined<CommandName, "-"> | "observe-all";
export declare function wireName(command: CommandName): string;
export declare function checkPermission(command: string, denied: ReadonlySet<string>): void;
export {};

// mocks/scripts/failure.d.ts
export declare class MockFailure<E = unknown> extends Error {
    readonly error: E;
    constructor(message: string, error: E);
}
export declare function failure(message: string): MockFailure<string>;
export declare function failure<E>(message: string, error: E): MockFailure<E>;

// mocks/scripts/script.d.ts
import type { Unit } from "../../core/ipc/bindings.js";
import type { TaskMap, TaskName, TaskTypes } from "../../core/types/kind.js";
import type { MockFailure } from "./failure.js";
export interface ProgressReport<D = unknown> {
    readonly completed?: number | undefined;
    readonly total?: number | null | undefined;
    readonly unit?: Unit | undefined;
    readonly rate?: number | null | undefined;
    readonly etaMs?: number | null | undefined;
    readonly message?: string | null | undefined;
    readonly detail?: D | undefined;
}
export interface MockContext<T extends TaskTypes = TaskTypes> {
    readonly id: string;
    readonly name: string;
    readonly attempt: number;
    readonly signal: AbortSignal;
    progress(report: ProgressReport<T["detail"]>): void;
    emit(item: T["item"]): Promise<void>;
}
type Output<O> = null extends O ? O | undefined | void : O;
export type Script<T extends TaskTypes = TaskTypes> = ((ctx: MockContext<T>, input: T["input"]) => Output<T["output"]> | Promise<Output<T["output"]>>) | {
    readonly output: T["output"];
} | {
    readonly error: MockFailure<T["error"]>;
} | "manual";
export type Scripts<M extends TaskMap> = {
    readonly [N in TaskName<M>]?: Script<M[N]>;
};
export {};

// react/create-task-hooks.d.ts
import type { TaskMap } from "../core/types/kind.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { TaskHooks } from "./task-hooks.js";
export declare function createTaskHooks<M extends TaskMap>(client: TasksClient<M>): TaskHooks<M>;

// react/index.d.ts
export { createTaskHooks } from "./create-task-hooks.js";
export type { StartedBatch, StartedTask, TaskHooks, TasksOptions } from "./task-hooks.js";

// react/task-hooks.d.ts
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { PaceOptions } from "../core/types/options.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor, TaskProgress } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { BatchDefaults, BatchState, BatchStore, ItemsOptions, ItemsState, ListState, StartDefaults, StartState, StartStore, TaskState } from "../store/index.js";
export type StartedTask<T extends TaskTypes = TaskTypes> = StartState<T> & Pick<StartStore<T>, "start" | "cancel" | "reset">;
export type StartedBatch<T extends TaskTypes = TaskTypes> = BatchState<T> & Pick<BatchStore<T>, "start" | "cancel" | "reset">;
export interface TasksOptions<S, R> extends PaceOptions {
    readonly select: (list: ListState<S>) => R;
    readonly isEqual?: ((a: R, b: R) => boolean) | undefined;
}
export interface TaskHooks<M extends TaskMap> {
    useTask<K extends TaskName<M>>(name: K, id: string | null | undefined): TaskState<M[K]>;
    useTasks<R, K extends TaskName<M> = never>(query: TaskQuery<K> | undefined, options: TasksOptions<SnapshotFor<M, K>, R>): R;
    useTasks<K extends TaskName<M> = never>(query?: TaskQuery<K>, options?: PaceOptions): ListState<SnapshotFor<M, K>>;
    useStartTask<K extends TaskName<M>>(name: K, defaults?: StartDefaults): StartedTask<M[K]>;
    useBatch<K extends TaskName<M>>(name: K, defaults?: BatchDefaults): StartedBatch<M[K]>;
    useTaskProgress<T extends TaskTypes>(task: TaskHandle<T>): TaskProgress<T["detail"]>;
    useTaskProgress<T extends TaskTypes>(task: TaskHandle<T> | null | undefined): TaskProgress<T["detail"]> | undefined;
    useTaskItems<T extends TaskTypes>(task: TaskHandle<T> | null | undefined, options?: ItemsOptions): ItemsState<JsonItem<T["item"]>>;
}

// solid/create-task-primitives.d.ts
import type { TaskMap } from "../core/types/kind.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { TaskPrimitives } from "./task-primitives.js";
export declare function createTaskPrimitives<M extends TaskMap>(client: TasksClient<M>): TaskPrimitives<M>;

// solid/index.d.ts
export { createTaskPrimitives } from "./create-task-primitives.js";
export type { MaybeAccessor, Started, TaskPrimitives } from "./task-primitives.js";

// solid/task-primitives.d.ts
import type { Accessor } from "solid-js";
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { PaceOptions } from "../core/types/options.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor, TaskProgress } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { BatchDefaults, BatchState, BatchStore, ItemsOptions, ItemsState, ListState, StartDefaults, StartState, StartStore, TaskState } from "../store/index.js";
export type Started<S, L extends {
    start: unknown;
    cancel: unknown;
    reset: unknown;
}> = readonly [
    state: Accessor<S>,
    actions: Pick<L, "start" | "cancel" | "reset">
];
export type MaybeAccessor<T> = T | (() => T);
export interface TaskPrimitives<M extends TaskMap> {
    createTask<K extends TaskName<M>>(name: K, id: () => string | null | undefined): Accessor<TaskState<M[K]>>;
    createTaskList<K extends TaskName<M> = never>(query?: () => TaskQuery<K>, options?: PaceOptions): Accessor<ListState<SnapshotFor<M, K>>>;
    createStartTask<K extends TaskName<M>>(name: K, defaults?: MaybeAccessor<StartDefaults>): Started<StartState<M[K]>, StartStore<M[K]>>;
    createBatch<K extends TaskName<M>>(name: K, defaults?: MaybeAccessor<BatchDefaults>): Started<BatchState<M[K]>, BatchStore<M[K]>>;
    createTaskProgress<T extends TaskTypes>(task: () => TaskHandle<T>): Accessor<TaskProgress<T["detail"]>>;
    createTaskProgress<T extends TaskTypes>(task: () => TaskHandle<T> | null | undefined): Accessor<TaskProgress<T["detail"]> | undefined>;
    createTaskItems<T extends TaskTypes>(task: () => TaskHandle<T> | null | undefined, options?: MaybeAccessor<ItemsOptions>): Accessor<ItemsState<JsonItem<T["item"]>>>;
}

// store/index.d.ts
export type { ItemsOptions, ItemsState } from "./items-store.js";
export { itemsStore } from "./items-store.js";
export type { LaunchOptions, LaunchState, LaunchStore } from "./launch-store.js";
export type { ListState } from "./list-store.js";
export { listStore } from "./list-store.js";
export type { Readable } from "./readable.js";
export { select } from "./select.js";
export type { BatchDefaults, BatchState, BatchStore, StartDefaults, StartState, StartStore, } from "./start-store.js";
export { batchStore, startStore } from "./start-store.js";
export type { TaskState } from "./task-store.js";
export { taskStore } from "./task-store.js";

// store/items-store.d.ts
import type { TaskError } from "../core/errors/task-error.js";
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName } from "../core/types/kind.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import { type Readable } from "./readable.js";
export interface ItemsState<I> {
    readonly items: readonly I[];
    readonly missed: number;
    readonly done: boolean;
    readonly error?: TaskError | undefined;
}
export interface ItemsOptions {
    readonly limit?: number | undefined;
}
export declare function itemsStore<M extends TaskMap, K extends TaskName<M>>(client: TasksClient<M>, name: K, id: string | null | undefined, { limit }?: ItemsOptions): Readable<ItemsState<JsonItem<M[K]["item"]>>>;

// store/launch-store.d.ts
import { TaskError } from "../core/errors/task-error.js";
import type { TaskStatus } from "../core/ipc/bindings.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { Readable } from "./readable.js";
type Launched = Pick<TaskHandle, "id" | "status" | "snapshot" | "onStatus" | "onProgress" | "onQueue" | "cancel" | "detach"> & {
    readonly outcome: Promise<{
        readonly output?: unknown;
        readonly error?: TaskError;
    }>;
};
export interface LaunchState<H extends Launched, O> {
    readonly state: "idle" | "starting" | "refused" | TaskStatus;
    readonly task?: H | undefined;
    readonly snapshot?: H["snapshot"] | undefined;
    readonly output?: O | undefined;
    readonly error?: TaskError | undefined;
}
export interface LaunchStore<A extends unknown[], H extends Launched, O> extends Readable<LaunchState<H, O>> {
    readonly start: (...args: A) => Promise<H>;
    readonly cancel: (reason?: string | object) => Promise<void>;
    readonly reset: () => void;
}
export interface LaunchOptions {
    readonly cancelOnUnmount?: boolean | undefined;
}
export declare function launchStore<A extends unknown[], H extends Launched, O, D extends LaunchOptions>(defaults: D | (() => D), launch: (options: Omit<D, "cancelOnUnmount">, args: A) => Promise<H>, attach: (id: string) => Promise<H>, toOutput: (output: unknown) => O): LaunchStore<A, H, O>;
export {};

// store/list-store.d.ts
import type { TaskError } from "../core/errors/task-error.js";
import type { TaskMap, TaskName } from "../core/types/kind.js";
import type { PaceOptions } from "../core/types/options.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor } from "../core/types/snapshot.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { Readable } from "./readable.js";
export type ListState<S> = {
    readonly state: "loading" | "ready";
    readonly tasks: readonly S[];
    readonly error?: undefined;
} | {
    readonly state: "error";
    readonly tasks: readonly S[];
    readonly error: TaskError;
};
export declare function listStore<M extends TaskMap, K extends TaskName<M> = never>(client: TasksClient<M>, query?: TaskQuery<K>, { everyMs }?: PaceOptions): Readable<ListState<SnapshotFor<M, K>>>;
export declare function keyOf(query: TaskQuery): string;

// store/readable.d.ts
export interface Readable<S> {
    subscribe(onChange: () => void): () => void;
    getSnapshot(): S;
    getServerSnapshot(): S;
}
export declare function constant<S>(value: S): Readable<S>;

// store/select.d.ts
import type { Readable } from "./readable.js";
export declare function select<S, R>(store: Readable<S>, selector: (state: S) => R, isEqual?: (a: R, b: R) => boolean): Readable<R>;

// store/start-store.d.ts
import type { BatchHandle } from "../core/types/batch-handle.js";
import type { TaskMap, TaskName } from "../core/types/kind.js";
import type { BatchOptions, StartOptions } from "../core/types/options.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { StartArguments, TasksClient } from "../core/types/tasks-client.js";
import { type LaunchOptions, type LaunchState, type LaunchStore } from "./launch-store.js";
export type StartState<T extends TaskMap[string] = TaskMap[string]> = LaunchState<TaskHandle<T>, T["output"]>;
export type BatchState<T extends TaskMap[string] = TaskMap[string]> = LaunchState<BatchHandle<T>, PromiseSettledResult<T["output"]>[]>;
export type StartDefaults = LaunchOptions & StartOptions;
export type BatchDefaults = LaunchOptions & BatchOptions;
export type StartStore<T extends TaskMap[string] = TaskMap[string]> = LaunchStore<StartArguments<T["input"]>, TaskHandle<T>, T["output"]>;
export type BatchStore<T extends TaskMap[string] = TaskMap[string]> = LaunchStore<[
    inputs: readonly T["input"][],
    options?: BatchOptions
], BatchHandle<T>, PromiseSettledResult<T["output"]>[]>;
export declare function startStore<M extends TaskMap, K extends TaskName<M>>(client: TasksClient<M>, name: K, defaults?: StartDefaults | (() => StartDefaults)): StartStore<M[K]>;
export declare function batchStore<M extends TaskMap, K extends TaskName<M>>(client: TasksClient<M>, name: K, defaults?: BatchDefaults | (() => BatchDefaults)): BatchStore<M[K]>;

// store/task-store.d.ts
import type { TaskError } from "../core/errors/task-error.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { TaskSnapshotOf } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import { type Readable } from "./readable.js";
export type TaskState<T extends TaskTypes = TaskTypes> = {
    readonly state: "idle" | "loading";
    readonly task?: undefined;
    readonly snapshot?: undefined;
    readonly error?: undefined;
} | {
    readonly state: "ready";
    readonly task: TaskHandle<T>;
    readonly snapshot: TaskSnapshotOf<T>;
    readonly error?: undefined;
} | {
    readonly state: "error";
    readonly task?: undefined;
    readonly snapshot?: undefined;
    readonly error: TaskError;
};
export declare function taskStore<M extends TaskMap, K extends TaskName<M>>(client: TasksClient<M>, name: K, id: string | null | undefined): Readable<TaskState<M[K]>>;

// svelte/create-task-states.d.ts
import type { TaskMap } from "../core/types/kind.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { TaskStates } from "./task-states.js";
export declare function createTaskStates<M extends TaskMap>(client: TasksClient<M>): TaskStates<M>;

// svelte/index.d.ts
export { createTaskStates } from "./create-task-states.js";
export type { Current, MaybeGetter, Started, TaskStates, TasksOptions } from "./task-states.js";
export { toStore } from "./to-store.js";

// svelte/task-states.d.ts
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { PaceOptions } from "../core/types/options.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor, TaskProgress } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { BatchDefaults, BatchState, BatchStore, ItemsOptions, ItemsState, ListState, StartDefaults, StartState, StartStore, TaskState } from "../store/index.js";
export interface Current<S> {
    readonly current: S;
}
export type Started<S, L extends {
    start: unknown;
    cancel: unknown;
    reset: unknown;
}> = Current<S> & Pick<L, "start" | "cancel" | "reset">;
export type MaybeGetter<T> = T | (() => T);
export interface TasksOptions<S, R> extends PaceOptions {
    readonly select: (list: ListState<S>) => R;
    readonly isEqual?: ((a: R, b: R) => boolean) | undefined;
}
export interface TaskStates<M extends TaskMap> {
    taskState<K extends TaskName<M>>(name: K, id: () => string | null | undefined): Current<TaskState<M[K]>>;
    listState<R, K extends TaskName<M> = never>(query: (() => TaskQuery<K>) | undefined, options: TasksOptions<SnapshotFor<M, K>, R>): Current<R>;
    listState<K extends TaskName<M> = never>(query?: () => TaskQuery<K>, options?: PaceOptions): Current<ListState<SnapshotFor<M, K>>>;
    startState<K extends TaskName<M>>(name: K, defaults?: MaybeGetter<StartDefaults>): Started<StartState<M[K]>, StartStore<M[K]>>;
    batchState<K extends TaskName<M>>(name: K, defaults?: MaybeGetter<BatchDefaults>): Started<BatchState<M[K]>, BatchStore<M[K]>>;
    progressState<T extends TaskTypes>(task: () => TaskHandle<T>): Current<TaskProgress<T["detail"]>>;
    progressState<T extends TaskTypes>(task: () => TaskHandle<T> | null | undefined): Current<TaskProgress<T["detail"]> | undefined>;
    itemsState<T extends TaskTypes>(task: () => TaskHandle<T> | null | undefined, options?: MaybeGetter<ItemsOptions>): Current<ItemsState<JsonItem<T["item"]>>>;
}

// svelte/to-store.d.ts
import type { Readable as SvelteStore } from "svelte/store";
import type { Readable } from "../store/index.js";
export declare function toStore<S>(store: Readable<S>): SvelteStore<S>;

// vue/create-task-hooks.d.ts
import type { TaskMap } from "../core/types/kind.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { TaskHooks } from "./task-hooks.js";
export declare function createTaskHooks<M extends TaskMap>(client: TasksClient<M>): TaskHooks<M>;

// vue/index.d.ts
export { createTaskHooks } from "./create-task-hooks.js";
export type { ItemsArguments, SelectArguments, Started, TaskHooks, TasksArguments, } from "./task-hooks.js";

// vue/task-hooks.d.ts
import type { ComputedRef, MaybeRefOrGetter } from "vue";
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor, TaskProgress } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { BatchDefaults, BatchState, BatchStore, ItemsState, ListState, StartDefaults, StartState, StartStore, TaskState } from "../store/index.js";
export type Started<S, L extends {
    start: unknown;
    cancel: unknown;
    reset: unknown;
}> = {
    readonly [F in keyof S]-?: ComputedRef<S[F]>;
} & Pick<L, "start" | "cancel" | "reset">;
export interface TasksArguments {
    readonly everyMs?: MaybeRefOrGetter<number | undefined>;
}
export interface SelectArguments<S, R> extends TasksArguments {
    readonly select: (list: ListState<S>) => R;
    readonly isEqual?: ((a: R, b: R) => boolean) | undefined;
}
export interface ItemsArguments {
    readonly limit?: MaybeRefOrGetter<number | undefined>;
}
export interface TaskHooks<M extends TaskMap> {
    useTask<K extends TaskName<M>>(name: MaybeRefOrGetter<K>, id: MaybeRefOrGetter<string | null | undefined>): ComputedRef<TaskState<M[K]>>;
    useTasks<R, K extends TaskName<M> = never>(query: MaybeRefOrGetter<TaskQuery<K> | undefined>, options: SelectArguments<SnapshotFor<M, K>, R>): ComputedRef<R>;
    useTasks<K extends TaskName<M> = never>(query?: MaybeRefOrGetter<TaskQuery<K> | undefined>, options?: TasksArguments): ComputedRef<ListState<SnapshotFor<M, K>>>;
    useStartTask<K extends TaskName<M>>(name: MaybeRefOrGetter<K>, defaults?: MaybeRefOrGetter<StartDefaults>): Started<StartState<M[K]>, StartStore<M[K]>>;
    useBatch<K extends TaskName<M>>(name: MaybeRefOrGetter<K>, defaults?: MaybeRefOrGetter<BatchDefaults>): Started<BatchState<M[K]>, BatchStore<M[K]>>;
    useTaskProgress<T extends TaskTypes>(task: MaybeRefOrGetter<TaskHandle<T> | null | undefined>): ComputedRef<TaskProgress<T["detail"]> | undefined>;
    useTaskItems<T extends TaskTypes>(task: MaybeRefOrGetter<TaskHandle<T> | null | undefined>, options?: ItemsArguments): ComputedRef<ItemsState<JsonItem<T["item"]>>>;
}

