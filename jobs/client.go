package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
)

// Client submits, finds and follows the jobs of a workspace. It is safe for use by many goroutines.
type Client struct {
	rest         *rest.Client
	environments *assets.EnvironmentClient
	codes        *assets.CodeClient
	data         *assets.DataClient
	models       *assets.ModelClient
	datastores   *assets.DatastoreClient
}

// NewClient makes the client on the workspace's shared one.
func NewClient(c *rest.Client) *Client {
	return &Client{
		rest: c, environments: assets.NewEnvironmentClient(c), codes: assets.NewCodeClient(c), data: assets.NewDataClient(c),
		models: assets.NewModelClient(c), datastores: assets.NewDatastoreClient(c),
	}
}

// Get reads a job (Jobs_Get), with its times and its error from run history (Runs_GetDetails). The child of
// a pipeline, which the resource manager does not describe, is told from run history alone.
func (c *Client) Get(ctx context.Context, name string) (*Run, error) {
	op := fmt.Sprintf("jobs: get %q", name)
	run, err := c.get(ctx, op, name)
	if err != nil {
		return nil, err
	}
	h, err := c.details(ctx, op, name)
	switch {
	case err == nil:
		run.add(h)
	case isStatus(err, http.StatusNotFound) && run.Spec != nil:
		// Run history hears of a job a little later than the resource manager.
	default:
		return nil, err
	}
	return run, nil
}

// get reads a job from the resource manager alone.
func (c *Client) get(ctx context.Context, op, name string) (*Run, error) {
	var raw json.RawMessage
	if err := c.rest.Do(ctx, &rest.Call{Op: op, Group: "jobs", Path: c.rest.Path("jobs", name), Out: &raw}); err != nil {
		return nil, err
	}
	run, err := c.decodeRun(raw)
	if err == nil && run.Type == "FineTuning" { // this version of the interface leaves most of it out
		raw = nil
		if err := c.rest.Do(ctx, &rest.Call{Op: op, Group: "fineTuningJobs", Path: c.rest.Path("jobs", name), Out: &raw}); err != nil {
			return nil, err
		}
		run, err = c.decodeRun(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return run, nil
}

// kind reads a job's type alone from the resource manager: a pipeline of many
// steps is not decoded for it. It is "" for a pipeline's child.
func (c *Client) kind(ctx context.Context, op, name string) (string, error) {
	var env struct {
		Properties *struct {
			JobType string `json:"jobType"`
		} `json:"properties"`
	}
	if err := c.rest.Do(ctx, &rest.Call{Op: op, Group: "jobs", Path: c.rest.Path("jobs", name), Out: &env}); err != nil {
		return "", err
	}
	if env.Properties == nil {
		return "", nil
	}
	return env.Properties.JobType, nil
}

// View chooses among archived jobs.
type View string

// The views. The zero value is Active.
const (
	Active   View = "ActiveOnly"
	Archived View = "ArchivedOnly"
	AnyView  View = "All"
)

// AllOptions choose the jobs of a list.
type AllOptions struct {
	// Parent lists the children of this job; the other choices but View do not hold then.
	Parent string
	// Type is the service's word: Command, Sweep, AutoML, Pipeline, Spark.
	Type string
	// Tag is "key", or "key=value".
	Tag string
	// Properties are "key", or "key=value", separated by commas.
	Properties string
	// View defaults to the jobs that are not archived.
	View View
	// ScheduleID lists what a schedule has started.
	ScheduleID string
	// Asset lists the jobs that used or made the asset of this name.
	Asset string
}

// All lists jobs, the newest first (Jobs_List). Times and errors are not in the list: see Get. With a
// parent it lists that job's children (Runs_GetChildren).
func (c *Client) All(ctx context.Context, o *AllOptions) iter.Seq2[*Run, error] {
	if o == nil {
		o = &AllOptions{}
	}
	if o.Parent != "" {
		view := o.View
		return func(yield func(*Run, error) bool) {
			for run, err := range c.Children(ctx, o.Parent) {
				if err == nil && (view == Archived) != run.Archived && view != AnyView {
					continue
				}
				if !yield(run, err) {
					return
				}
			}
		}
	}
	q := url.Values{}
	view := o.View
	if view == "" {
		view = Active
	}
	q.Set("listViewType", string(view))
	for k, v := range map[string]string{"jobType": o.Type, "tag": o.Tag, "properties": o.Properties, "scheduleId": o.ScheduleID, "assetName": o.Asset} {
		if v != "" {
			q.Set(k, v)
		}
	}
	if o.ScheduleID != "" {
		q.Set("scheduled", "true")
	}
	return rest.All(ctx, c.rest, &rest.Call{Op: "jobs: list", Group: "jobs", Path: c.rest.Path("jobs"), Query: q}, c.decodeRun)
}

// Children lists the jobs that a job has started: a pipeline's steps, a sweep's trials (Runs_GetChildren).
func (c *Client) Children(ctx context.Context, name string) iter.Seq2[*Run, error] {
	op := fmt.Sprintf("jobs: children of %q", name)
	return func(yield func(*Run, error) bool) {
		for h, err := range c.children(ctx, op, name) {
			if err != nil {
				yield(nil, err)
				return
			}
			run := &Run{ID: c.id("jobs", h.RunID)}
			run.add(h)
			if !yield(run, nil) {
				return
			}
		}
	}
}

// Update is a change of a job's metadata. nil fields stay as they are; tags and properties are merged
// with those that are there.
type Update struct {
	DisplayName *string
	Description *string
	Tags        map[string]string
	Properties  map[string]string
}

// Update changes a job's metadata and gives the job as it is then. It goes to run history
// (Runs_AddOrModifyByExperimentName), and where that refuses, to the resource manager (Jobs_CreateOrUpdate).
func (c *Client) Update(ctx context.Context, name string, u *Update) (*Run, error) {
	op := fmt.Sprintf("jobs: update %q", name)
	change := map[string]any{}
	if u != nil {
		if u.DisplayName != nil {
			change["displayName"] = *u.DisplayName
		}
		if u.Description != nil {
			change["description"] = *u.Description
		}
		if u.Tags != nil {
			change["tags"] = u.Tags
		}
		if u.Properties != nil {
			change["properties"] = u.Properties
		}
	}
	if len(change) == 0 {
		return nil, fmt.Errorf("%s: nothing to change: set DisplayName, Description, Tags or Properties", op)
	}
	if err := c.change(ctx, op, name, change, func(p map[string]any) {
		for k, v := range change {
			m, ok := v.(map[string]string)
			if !ok {
				p[k] = v
				continue
			}
			have, _ := p[k].(map[string]any) // null: there is none yet
			if have == nil {
				have = map[string]any{}
				p[k] = have
			}
			for k, v := range m {
				have[k] = v
			}
		}
	}); err != nil {
		return nil, err
	}
	return c.Get(ctx, name)
}

// Archive hides a job from lists (Runs_AddOrModifyByExperimentName, else Jobs_CreateOrUpdate).
func (c *Client) Archive(ctx context.Context, name string) error {
	return c.hide(ctx, fmt.Sprintf("jobs: archive %q", name), name, true)
}

// Restore takes Archive back (run history; Jobs_CreateOrUpdate where that fails).
func (c *Client) Restore(ctx context.Context, name string) error {
	return c.hide(ctx, fmt.Sprintf("jobs: restore %q", name), name, false)
}

func (c *Client) hide(ctx context.Context, op, name string, hidden bool) error {
	return c.change(ctx, op, name, map[string]any{"hidden": hidden}, func(p map[string]any) { p["isArchived"] = hidden })
}

// change patches the run; where run history refuses, it puts the job as it was read, with set's changes.
func (c *Client) change(ctx context.Context, op, name string, patch map[string]any, set func(properties map[string]any)) error {
	var raw json.RawMessage
	if err := c.rest.Do(ctx, &rest.Call{Op: op, Group: "jobs", Path: c.rest.Path("jobs", name), Out: &raw}); err != nil {
		return err
	}
	run, err := c.decodeRun(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if run.Experiment == "" {
		h, err := c.details(ctx, op, name)
		if err != nil {
			return err
		}
		if run.add(h); run.Experiment == "" {
			d, err := c.runData(ctx, op, name)
			if err != nil {
				return err
			}
			run.add(d)
		}
	}
	patched := c.modify(ctx, op, run.Experiment, name, patch)
	if patched == nil || ctx.Err() != nil || run.Spec == nil {
		return patched
	}
	c.rest.Logger().WarnContext(ctx, "jobs: run history refuses the change; putting the job", "job", name, "error", patched)
	var doc struct {
		Properties map[string]any `json:"properties"`
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return fmt.Errorf("%s: decoding the job: %w", op, err)
	}
	dropNull(doc.Properties)
	delete(doc.Properties, "status")
	set(doc.Properties)
	return c.rest.Do(ctx, &rest.Call{Op: op, Method: http.MethodPut, Group: groupOf(run.Type), Path: c.rest.Path("jobs", name), Body: map[string]any{"properties": doc.Properties}})
}

// dropNull takes out what the service answers as null and does not take back.
func dropNull(m map[string]any) {
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case map[string]any:
			dropNull(v)
		}
	}
}

// groupOf is the group of the api-version table by which a job of a type is put.
func groupOf(jobType string) string {
	switch jobType {
	case "Command":
		return "commandJobs"
	case "Pipeline", "AutoML", "Sweep":
		return "jobs"
	case "FineTuning":
		return "fineTuningJobs"
	}
	return "otherJobs"
}
