export { MeshClient } from './client.ts';
export { type Check, type CheckName, type CheckStatus, checkNames, type Diagnosis } from './doctor/check.ts';
export type { WorkflowToCheck } from './doctor/check-service.ts';
export { type DoctorOptions, doctor } from './doctor/doctor.ts';
export { type ClientErrorName, clientErrors } from './errors/client-errors.ts';
export {
  type InvalidField,
  MeshError,
  type MeshErrorCode,
  type OperationName,
  type WireRefusal,
} from './errors/mesh-error.ts';
export type { Handshake } from './handshake.ts';
export { defaultLimits, type Limits } from './limits.ts';
export type { Log, LogEntry } from './log.ts';
export type { Endpoint } from './lookup.ts';
export type { CallOptions, ClientCertificate, MeshClientOptions, TlsOptions } from './options.ts';
export { BlockPair } from './payload/block-pair.ts';
export { fromFile } from './payload/file-payload.ts';
export { type ByteRange, fromRanges, type Payload, type PayloadInput, type PayloadSource } from './payload/payload.ts';
export { fromStream, type StreamOptions } from './payload/stream-payload.ts';
export type { Preflight, PreflightObjection, PreflightQuestion } from './preflight.ts';
export type { OnProgress, Progress } from './progress.ts';
export type { DownloadTransfer } from './receive/chunk-download.ts';
export type { Download, DownloadOptions } from './receive/download.ts';
export { type ChunkEnd, type DownloadState, parseDownloadState } from './receive/download-state.ts';
export type { DownloadedFile, DownloadToFileOptions } from './receive/download-to-file.ts';
export type { InboxPage, InboxQuery } from './receive/list-inbox.ts';
export type { MessageMetadata, MessageStatusHeaders } from './receive/message-metadata.ts';
export type { ReceivedMessage } from './receive/receive.ts';
export { defaultRetryPolicy, type RetryPolicy } from './retry.ts';
export type { OutgoingMessage } from './send/outgoing-message.ts';
export type { ResumeOptions } from './send/resume.ts';
export type { SendOptions } from './send/send.ts';
export type { SendOutcome, SendResolution, SendUnknown, Sent } from './send/send-outcome.ts';
export { type ChunkDone, parseUploadState, type UploadState } from './send/upload-state.ts';
export type { Surroundings } from './surroundings.ts';
export type { Tracking, TrackingByLocalId } from './track.ts';
export { sdkVersion } from './version.ts';
export type { AnswerHeaders } from './wire/answer.ts';
