package jobs

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// Run is a job as the service has it: what was submitted, and what became of it.
type Run struct {
	ID          string // ARM id
	Name        string
	DisplayName string
	Experiment  string
	Description string
	Type        string // the service's word: Command, Sweep, Pipeline …
	Status      Status
	Error       *Error // why it failed, where one job was asked for; lists do not tell
	Reason      string // why it was cancelled, where the service tells and one job was asked for
	Tags        map[string]string
	Properties  map[string]string
	Services    Services // Studio and Tracking always, interactive ones where asked for
	Outputs     Outputs  // with their addresses, once the service has given them
	Parent      string   // the job this is a child of
	Root        string   // the outermost of them
	Archived    bool
	Warnings    []string
	CreatedBy   string
	Created     time.Time
	Start       time.Time // zero until it ran; see Client.Get
	End         time.Time // zero until it ended
	// Spec is what was submitted: switch on its type. A kind that this version does not know is an
	// *UnknownJob. nil for a pipeline's child, which the resource manager does not describe.
	Spec Spec
}

// Duration is how long the job ran, or has been running until now. It is 0 before it starts.
func (r *Run) Duration(now time.Time) time.Duration {
	switch {
	case r.Start.IsZero():
		return 0
	case r.End.IsZero():
		return now.Sub(r.Start)
	}
	return r.End.Sub(r.Start)
}

// StudioURL is the job's page in Azure ML Studio, "" where there is none.
func (r *Run) StudioURL() string { return r.Services["Studio"].Endpoint }

// Error is why a job failed, in the service's words.
type Error struct {
	Code          string // such as UserError
	Message       string // the innermost
	Target        string
	ReferenceCode string
}

func (e *Error) Error() string {
	switch {
	case e.Code == "":
		return e.Message
	case e.Message == "":
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// runEnvelope is what a run is told from besides its kind.
type runEnvelope struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	SystemData struct {
		CreatedAt historyTime `json:"createdAt"`
		CreatedBy string      `json:"createdBy"`
	} `json:"systemData"`
	Properties *struct {
		DisplayName string                     `json:"displayName"`
		Experiment  string                     `json:"experimentName"`
		Description string                     `json:"description"`
		JobType     string                     `json:"jobType"`
		Status      Status                     `json:"status"`
		Tags        looseMap                   `json:"tags"`
		Properties  looseMap                   `json:"properties"`
		Services    map[string]json.RawMessage `json:"services"`
		Outputs     map[string]json.RawMessage `json:"outputs"`
		Parent      string                     `json:"parentJobName"`
		Archived    bool                       `json:"isArchived"`
	} `json:"properties"`
}

// decodeRun reads a job as the resource manager answers it.
func (c *Client) decodeRun(raw json.RawMessage) (*Run, error) {
	var env runEnvelope
	if err := json.Unmarshal(raw, &env); err != nil {
		return nil, fmt.Errorf("decoding the job: %w", err)
	}
	r := &Run{ID: env.ID, Name: env.Name, Created: env.SystemData.CreatedAt.Time, CreatedBy: env.SystemData.CreatedBy}
	if r.Name == "" {
		r.Name = env.ID[strings.LastIndexByte(env.ID, '/')+1:]
	}
	p := env.Properties
	if p == nil || p.JobType == "" && p.Status == "" {
		return r, nil
	}
	r.DisplayName, r.Experiment, r.Description, r.Type, r.Status = p.DisplayName, p.Experiment, p.Description, p.JobType, p.Status.known()
	r.Tags, r.Properties, r.Parent, r.Archived = p.Tags, p.Properties, p.Parent, p.Archived
	for name, raw := range p.Services {
		var s Service
		if string(raw) == "null" {
			continue
		}
		if err := wire.FromREST(raw, &s); err != nil {
			return nil, fmt.Errorf("decoding the job's service %q: %w", name, err)
		}
		if r.Services == nil {
			r.Services = Services{}
		}
		r.Services[name] = s
	}
	for name, raw := range p.Outputs {
		var o Output
		if string(raw) != "null" {
			if err := wire.FromREST(raw, &o); err != nil {
				return nil, fmt.Errorf("decoding the job's output %q: %w", name, err)
			}
		}
		if r.Outputs == nil {
			r.Outputs = Outputs{}
		}
		r.Outputs[name] = o
	}
	if err := wire.FromREST(raw, &r.Spec); err != nil {
		return nil, fmt.Errorf("decoding the job: %w", err)
	}
	return r, nil
}

// add completes the run by what run history knows.
func (r *Run) add(h *historyRun) {
	if h == nil {
		return
	}
	fill := func(into *string, from string) {
		if *into == "" {
			*into = from
		}
	}
	fill(&r.Name, h.RunID)
	fill(&r.DisplayName, h.DisplayName)
	fill(&r.Experiment, h.Experiment)
	fill(&r.Description, h.Description)
	fill(&r.Parent, h.ParentID)
	fill(&r.Root, h.RootID)
	if r.Type == "" {
		r.Type = h.kind()
	}
	if r.Status == "" || h.Status != "" && r.Spec == nil {
		r.Status = h.Status.known()
	}
	if len(r.Tags) == 0 {
		r.Tags = maps.Clone(h.Tags)
	}
	if len(r.Properties) == 0 {
		r.Properties = maps.Clone(h.Properties)
	}
	if r.Created.IsZero() {
		r.Created = h.Created.Time
		if r.Created.IsZero() {
			r.Created = h.CreatedTime.Time
		}
	}
	if h.CreatedBy != nil {
		fill(&r.CreatedBy, h.CreatedBy.Name)
	}
	r.Start, r.End, r.Error, r.Reason = h.Start.Time, h.End.Time, h.cause(), h.Canceled
	r.Archived = r.Archived || h.Hidden
	for _, w := range h.Warnings {
		if w.Message != "" {
			r.Warnings = append(r.Warnings, w.Message)
		}
	}
}

// kind is the resource manager's word for the type of a run.
func (h *historyRun) kind() string {
	switch t := strings.ToLower(h.RunType); {
	case strings.Contains(t, "automl"):
		return "AutoML"
	case strings.Contains(t, "hyperdrive"), t == "sweep":
		return "Sweep"
	case strings.Contains(t, "pipelinerun"), t == "pipeline":
		return "Pipeline"
	case t == "spark":
		return "Spark"
	case t == "":
		return ""
	}
	return "Command"
}
