package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/rest"
)

// Run history is the service that keeps what happened to a job: times, error, log files, children.

// historyRun is a run, or a run's details, as run history answers them. What is not named here is not
// used.
type historyRun struct {
	RunID       string                  `json:"runId"`
	ParentID    string                  `json:"parentRunId"`
	RootID      string                  `json:"rootRunId"`
	Status      Status                  `json:"status"`
	DisplayName string                  `json:"displayName"`
	Description string                  `json:"description"`
	Experiment  string                  `json:"experimentName"`
	RunType     string                  `json:"runType"`
	RunTypeV2   *runType                `json:"runTypeV2"`
	Target      string                  `json:"target"`
	Created     historyTime             `json:"createdUtc"`
	CreatedTime historyTime             `json:"createdTimeUtc"` // details
	Start       historyTime             `json:"startTimeUtc"`
	End         historyTime             `json:"endTimeUtc"`
	Error       *historyError           `json:"error"`
	Canceled    string                  `json:"cancelationReason"`
	Warnings    []historyWarning        `json:"warnings"`
	Tags        looseMap                `json:"tags"`
	Properties  looseMap                `json:"properties"`
	Hidden      bool                    `json:"hidden"`
	LogFiles    map[string]string       `json:"logFiles"` // name → address with a signature
	Outputs     map[string]historyAsset `json:"outputs"`
	CreatedBy   *historyUser            `json:"createdBy"`
}

// reused is the run whose result the run took, "" when it has one of its own.
func (r *historyRun) reused() string {
	if !strings.EqualFold(r.Properties[propReused], "true") {
		return ""
	}
	return r.Properties[propReusedRun]
}

// looseMap reads a map of strings in which other values may stand.
type looseMap map[string]string

func (m *looseMap) UnmarshalJSON(b []byte) error {
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil || raw == nil {
		return err
	}
	*m = make(looseMap, len(raw))
	for k, v := range raw {
		switch v := v.(type) {
		case nil:
			(*m)[k] = ""
		case string:
			(*m)[k] = v
		default:
			text, err := json.Marshal(v)
			if err != nil {
				return err
			}
			(*m)[k] = string(text)
		}
	}
	return nil
}

type runType struct {
	Orchestrator string   `json:"orchestrator"`
	Traits       []string `json:"traits"`
}

type historyUser struct {
	Name string `json:"userName"`
}

type historyAsset struct {
	ID   string `json:"assetId"`
	Type string `json:"type"`
}

type historyWarning struct {
	Source  string `json:"source"`
	Message string `json:"message"`
}

type historyError struct {
	Error rootError `json:"error"`
}

type rootError struct {
	Code          string          `json:"code"`
	Message       string          `json:"message"`
	Target        string          `json:"target"`
	Details       []*rootError    `json:"details"`
	InnerError    *innerError     `json:"innerError"`
	ReferenceCode string          `json:"referenceCode"`
	Additional    json.RawMessage `json:"additionalInfo"`
}

type innerError struct {
	Code  string      `json:"code"`
	Inner *innerError `json:"innerError"`
}

// historyTime reads the times of run history, which come with and without a zone.
type historyTime struct{ time.Time }

func (t *historyTime) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == nil || *s == "" {
		return nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if v, err := time.Parse(form, *s); err == nil {
			if v.Year() > 1 {
				t.Time = v.UTC()
			}
			return nil
		}
	}
	return nil // a time in a form nobody knows is no reason to lose the run
}

func (c *Client) history(segments ...string) string {
	return rest.Join("/history/v1.0"+c.rest.Path(), segments...)
}

// details asks run history for a run with its log files (Runs_GetDetails).
func (c *Client) details(ctx context.Context, op, name string) (*historyRun, error) {
	var d historyRun
	err := c.rest.Do(ctx, &rest.Call{Op: op, Plane: rest.API, Group: "runHistory", Path: c.history("runs", name, "details"), Out: &d})
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// runData asks for a run with its outputs (RunData_Get).
func (c *Client) runData(ctx context.Context, op, name string) (*historyRun, error) {
	var out struct {
		Run *historyRun `json:"runMetadata"`
	}
	err := c.rest.Do(ctx, &rest.Call{
		Op: op, Plane: rest.API, Group: "runHistory", Method: http.MethodPost, Idempotent: true, Path: c.history("rundata"),
		Body: map[string]any{"runId": name, "selectRunMetadata": true}, Out: &out,
	})
	if err == nil && out.Run == nil {
		err = fmt.Errorf("%s: run history knows no metadata of it", op)
	}
	return out.Run, err
}

// modify changes a run's metadata (Runs_AddOrModifyByExperimentName). Tags and properties are merged.
func (c *Client) modify(ctx context.Context, op, experiment, name string, change map[string]any) error {
	return c.rest.Do(ctx, &rest.Call{
		Op: op, Plane: rest.API, Group: "runHistory", Method: http.MethodPatch, Idempotent: true,
		Path: c.history("experiments", experiment, "runs", name), Body: change,
	})
}

// children lists the runs below a run, in the service's order (Runs_GetChildren).
func (c *Client) children(ctx context.Context, op, name string) iter.Seq2[*historyRun, error] {
	call := &rest.Call{Op: op, Plane: rest.API, Group: "runHistory", Path: c.history("runs", name, "children"), Query: url.Values{}, Continue: "$continuationtoken"}
	return rest.All(ctx, c.rest, call, func(raw json.RawMessage) (*historyRun, error) {
		var r historyRun
		err := json.Unmarshal(raw, &r)
		return &r, err
	})
}

// cause is the error that run history keeps, nil where there is none.
func (r *historyRun) cause() *Error {
	if r == nil || r.Error == nil {
		return nil
	}
	e := &r.Error.Error
	out := &Error{Code: e.Code, Message: e.innermost(), Target: e.Target, ReferenceCode: e.ReferenceCode}
	for in := e.InnerError; in != nil; in = in.Inner {
		if in.Code != "" {
			out.Code = in.Code
		}
	}
	if out.Code == "" && out.Message == "" {
		return nil
	}
	return out
}

// innermost is the message that says most: the one at the end of the details.
func (e *rootError) innermost() string {
	var all []string
	var walk func(*rootError, int)
	walk = func(e *rootError, depth int) {
		before := len(all)
		for _, d := range e.Details {
			if d != nil && depth < 16 {
				walk(d, depth+1)
			}
		}
		if m := strings.TrimSpace(e.Message); m != "" && len(all) == before {
			all = append(all, m)
		}
	}
	walk(e, 0)
	return strings.Join(all, "; ")
}
