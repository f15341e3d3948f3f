package jobs

import "strings"

// Status is the state of a job, in Azure's words.
type Status string

// The states in about the order in which a job passes through them.
const (
	NotStarted      Status = "NotStarted"
	Scheduled       Status = "Scheduled"
	Starting        Status = "Starting"
	Provisioning    Status = "Provisioning"
	Preparing       Status = "Preparing"
	Queued          Status = "Queued"
	Running         Status = "Running"
	Finalizing      Status = "Finalizing"
	CancelRequested Status = "CancelRequested"
	Completed       Status = "Completed"
	Failed          Status = "Failed"
	Canceled        Status = "Canceled"
	NotResponding   Status = "NotResponding"
	Paused          Status = "Paused"
	Unknown         Status = "Unknown"
)

// Ended tells whether the job has come to an end, good or bad. A paused job has.
func (s Status) Ended() bool {
	switch s.known() {
	case Completed, Failed, Canceled, NotResponding, Paused:
		return true
	}
	return false
}

// known is the state in the spelling above: run history has been seen to write others.
func (s Status) known() Status {
	for _, k := range [...]Status{NotStarted, Scheduled, Starting, Provisioning, Preparing, Queued, Running, Finalizing, CancelRequested, Completed, Failed, Canceled, NotResponding, Paused} {
		if strings.EqualFold(string(s), string(k)) {
			return k
		}
	}
	return s
}
