// Package tracking is the local workspace's MLflow: experiments, runs, metrics,
// artifacts, logged models, the model registry and traces, by MLflow's REST API
// and by calls of Go for the rest of the workspace. A job is a run here.
//
// What the service takes, refuses and answers follows the server of MLflow
// 3.17.2, messages included; where that server fails (500), this one refuses.
//
// # Metrics
//
// A batch of values is made durable as one row of tracking_tail, so that a request
// costs one insert whatever it holds. Values are then moved, in the background and
// before they are asked for, to where they are kept: segments of sorted, packed
// values per run and key, a row per run and key with the latest value, indexed for
// ordering, and the run's own list of latest values. A reader merges what it finds
// in the tail, so that what was acknowledged is always seen.
package tracking
