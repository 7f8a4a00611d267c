// What other packages may build on. Everything else is the exchange's own business.

export { partyOf } from './api/machines/parties.ts';
export type { Router } from './api/machines/routes.ts';
export { createDevAuthority, type DevAuthority, type IssuedFiles } from './cli/dev-ca/authority.ts';
export { FolderFault } from './cli/dev-ca/certificate-folder.ts';
export type { Hall } from './compose/hall.ts';
export { knownWorkflows } from './compose/known-workflows.ts';
export { type ComposeOptions, type Rooms, type RunningExchange, startExchange } from './compose.ts';
export { type Config, type ConfigProblem, loadConfig } from './config/config.ts';
export { createLog, type Log, openDestination } from './http/log.ts';
export type { Entry } from './mailbox/import/entry.ts';
export { credentialIds, registrationKey } from './mailbox/import/merge-rows.ts';
export { planEntries } from './mailbox/import/plan-import.ts';
export { FixtureFault, parseSandboxMailboxes, parseSandboxWorkflows } from './mailbox/sandbox-fixtures.ts';
export type { RegistrySnapshot } from './mailbox/snapshot.ts';
export { endings, type ServeOptions, serveUntilStopped } from './main.ts';
export { type ImportedMessage, ImportRefused } from './message/import-message.ts';
export type { IncomingBody } from './message/incoming-body.ts';
export { openChunk } from './message/open-chunk.ts';
export { openTexts, type PrivateTexts } from './message/private-texts.ts';
export type { NotDone } from './message/refused.ts';
export type { SendRequest } from './message/send.ts';
export type { BodyRef } from './store/bodies.ts';
export type { MessageRecord } from './store/ledger/message-records.ts';
export type { NewMessage } from './store/ledger/messages.ts';
export type { RegistryRecords } from './store/ledger/registry.ts';
export type { Ledger } from './store/ledger.ts';
export { version } from './version.ts';
