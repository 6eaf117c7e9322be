/** Shows the activities of preparing and checking, one after another, in the program's progress display. */
import type { Progress } from '../../../shared/progress.js';
import type { OnActivity } from '../layouts/layout.js';

/** The caller still has to `stop()` the progress. */
export function showActivities(progress: Progress): OnActivity {
  let current: string | undefined;
  return (activity, done, total) => {
    if (activity !== current) progress.start(activity, total);
    current = activity;
    progress.update(done);
  };
}
