export { openForAdmin, type Rooms, type RunningExchange, startExchange, version } from './compose.ts';
export { type Config, loadConfig } from './config/config.ts';
export { serveUntilStopped } from './main.ts';
