import { file, optionalSetting } from './setting.ts';

/** Who is told of what an operator should look at. */
export const alerts = {
  OPENMESH_ALERT_COMMAND: optionalSetting(file(), {
    help: 'A program that is run for each alert with three arguments: a stable code, what it is about, and a sentence. What it could not be told (it did not end with 0) it is told again.',
  }),
};
