package execution

// States of a job, in Azure's words and order.
const (
	NotStarted      = "NotStarted"
	Queued          = "Queued"
	Preparing       = "Preparing"
	Starting        = "Starting"
	Running         = "Running"
	Finalizing      = "Finalizing"
	CancelRequested = "CancelRequested"
	Completed       = "Completed"
	Failed          = "Failed"
	Canceled        = "Canceled"
)

// Ended is true of the states that a job does not leave.
func Ended(status string) bool {
	return status == Completed || status == Failed || status == Canceled
}

// mlflowStatus is the state of the job's run in MLflow's words.
func mlflowStatus(status string) string {
	switch status {
	case Completed:
		return "FINISHED"
	case Failed:
		return "FAILED"
	case Canceled:
		return "KILLED"
	case Running, Finalizing, CancelRequested:
		return "RUNNING"
	default:
		return "SCHEDULED"
	}
}
