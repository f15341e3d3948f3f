package execution

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// SubmitFailed stores a job that failed before it began: one that nobody waits
// for, such as a schedule's, and whose reason must be kept. also joins its
// transaction.
func (e *Engine) SubmitFailed(ctx context.Context, sc arm.Scope, name string, properties json.RawMessage, why *JobError, also func(tx *sql.Tx) error) error {
	var s commandSpec
	if err := json.Unmarshal(properties, &s); err != nil {
		return fmt.Errorf("execution: job %q: %w", name, err)
	}
	eid, err := e.Tracking.EnsureExperiment(ctx, sc.Key(), s.experiment())
	if err != nil {
		return fmt.Errorf("execution: job %q: %w", name, err)
	}
	now := e.Clock()
	r := &Record{Scope: sc, Name: name, Root: name, Kind: s.JobType, Status: Failed, Compute: computeName(s.ComputeID), Created: now, Ended: now, Spec: properties}
	r.ExperimentID, r.Error = eid, why
	run := &tracking.NewRun{ID: name, ExperimentID: eid, Name: s.DisplayName, User: "local", Status: mlflowStatus(Failed), Start: now, Tags: runTags(&s, name)}
	return e.DB.Update(ctx, func(tx *sql.Tx) error {
		if err := insert(tx, r); err != nil {
			return err
		}
		if err := e.Tracking.CreateRunTx(tx, sc.Key(), run); err != nil {
			return err
		}
		status := run.Status
		if err := e.Tracking.UpdateRunTx(tx, sc.Key(), name, &tracking.RunUpdate{Status: &status, End: &now}); err != nil {
			return err
		}
		if also != nil {
			return also(tx)
		}
		return nil
	})
}
