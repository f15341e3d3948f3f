//go:build !linux && !darwin && !windows

package mlflow

import "context"

// readSystem knows nothing of this system: no system metrics are logged.
func readSystem(context.Context) sample { return emptySample() }
