// What other packages may build on. Everything else is the exchange's own business.
export type { Router } from './api/machines/routes.ts';
export { createDevAuthority, type DevAuthority, type IssuedFiles } from './cli/dev-ca/authority.ts';
export { FolderFault } from './cli/dev-ca/certificate-folder.ts';
export { type ComposeOptions, type Rooms, type RunningExchange, startExchange, version } from './compose.ts';
export { type Config, type ConfigProblem, loadConfig } from './config/config.ts';
export { createLog, type Log, openDestination } from './http/log.ts';
export type { Entry } from './mailbox/import/entry.ts';
export { credentialIds, registrationKey } from './mailbox/import/merge-rows.ts';
export { planEntries } from './mailbox/import/plan-import.ts';
export { FixtureFault, parseSandboxMailboxes, parseSandboxWorkflows } from './mailbox/sandbox-fixtures.ts';
export type { RegistrySnapshot } from './mailbox/snapshot.ts';
export { endings, type ServeOptions, serveUntilStopped } from './main.ts';
export type { RegistryRecords } from './store/ledger/registry.ts';
