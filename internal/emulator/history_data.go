package emulator

import (
	"encoding/json"
	"net/http"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

type runDataRequest struct {
	RunID                                                          string
	SelectRunMetadata, SelectRunDefinition, SelectJobSpecification bool
}

func (c *call) runData(want runDataRequest) (document, error) {
	if want.RunID == "" {
		return nil, arm.Invalid("runId", "The field runId is required.")
	}
	if !c.caller.full && !c.s.descends(c.ctx(), c.sc, want.RunID, c.caller.run) {
		return nil, arm.Forbidden("The token of the run %q may not read the run %q.", c.caller.run, want.RunID)
	}
	x, err := c.run(want.RunID)
	if err != nil {
		return nil, err
	}
	out := document{"runMetadata": nil, "runDefinition": nil, "jobSpecification": nil}
	if want.SelectRunMetadata {
		out["runMetadata"] = x.document()
	}
	if x.job != nil {
		var spec map[string]any
		if err := json.Unmarshal(x.job.Spec, &spec); err != nil {
			return nil, err
		}
		if want.SelectRunDefinition {
			out["runDefinition"] = spec
		}
		if want.SelectJobSpecification {
			out["jobSpecification"] = spec
		}
	}
	return out, nil
}

func runData(c *call) error {
	var want runDataRequest
	if err := c.into(&want); err != nil {
		return err
	}
	out, err := c.runData(want)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}

func batchRunData(c *call) error {
	var want struct{ Requests map[string]runDataRequest }
	if err := c.into(&want); err != nil {
		return err
	}
	good, bad := map[string]any{}, map[string]any{}
	for k, r := range want.Requests {
		out, err := c.runData(r)
		if err != nil {
			bad[k] = arm.As(err).Body()
			continue
		}
		good[k] = out
	}
	return c.reply(http.StatusOK, document{"successfulResults": good, "failedResults": bad})
}

func runsByID(c *call) error {
	var want struct{ RunIDs []string }
	if err := c.into(&want); err != nil {
		return err
	}
	runs, faults := []any{}, map[string]any{}
	for _, id := range want.RunIDs {
		out, err := c.runData(runDataRequest{RunID: id, SelectRunMetadata: true})
		if err != nil {
			faults[id] = arm.As(err).Body()
			continue
		}
		runs = append(runs, out["runMetadata"])
	}
	return c.reply(http.StatusOK, document{"runs": runs, "errors": faults})
}
