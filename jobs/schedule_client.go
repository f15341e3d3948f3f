package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// ScheduleClient creates and reads schedules.
type ScheduleClient struct {
	rest *rest.Client
	jobs *Client
}

// NewScheduleClient makes the client on the workspace's shared one.
func NewScheduleClient(c *rest.Client) *ScheduleClient {
	return &ScheduleClient{rest: c, jobs: NewClient(c)}
}

// ScheduleOptions are the choices of BeginCreate and the like. Nil is fine.
type ScheduleOptions struct {
	// ResumeToken continues what an earlier poller began; nothing is sent.
	ResumeToken string
	// Progress is told how far uploads are.
	Progress func(assets.Progress)
}

func (o *ScheduleOptions) token() string {
	if o == nil {
		return ""
	}
	return o.ResumeToken
}

func (c *ScheduleClient) call(verb, name, method string, more ...string) *rest.Call {
	return &rest.Call{
		Op: fmt.Sprintf("schedules: %s %q", verb, name), Method: method, Group: "schedules",
		Path: c.rest.Path(append([]string{"schedules", name}, more...)...),
	}
}

// BeginCreate makes a schedule, or changes one that exists (Schedules_CreateOrUpdate), after uploading what it needs. All
// that is wrong with it is reported at once, before anything is uploaded. The schedule, or its builder, is not changed.
func (c *ScheduleClient) BeginCreate(ctx context.Context, from ScheduleSource, o *ScheduleOptions) (p *runtime.Poller[*Schedule], err error) {
	var s *Schedule
	var kept azureml.Faults
	if from != nil {
		s, kept = from.plain()
	}
	if s == nil {
		return nil, errors.New("schedules: create: the schedule is nil")
	}
	call := c.call("create", s.Name, http.MethodPut)
	if call.ResumeToken = o.token(); call.ResumeToken != "" {
		return rest.Begin(ctx, c.rest, call, rest.As[Schedule])
	}
	so := &SubmitOptions{}
	if o != nil {
		so.Progress = o.Progress
	}
	r := newResolver(c.jobs, call.Op, so)
	defer func() { err = errors.Join(err, r.close()) }()
	check := &checker{ctx: ctx, r: r, faults: kept}
	s.check(ctx, check)
	if err := check.faults.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", call.Op, err)
	}
	sent := *s
	if sent.Action, err = s.Action.resolveAction(ctx, r, &sent); err != nil {
		return nil, rest.WithOp(call.Op, err)
	}
	if call.Body, err = wire.Body(&sent, c.jobs.id("schedules", s.Name)); err != nil {
		return nil, fmt.Errorf("%s: %w", call.Op, err)
	}
	return rest.Begin(ctx, c.rest, call, rest.As[Schedule])
}

// Get reads a schedule (Schedules_Get).
func (c *ScheduleClient) Get(ctx context.Context, name string) (*Schedule, error) {
	return rest.Ask[Schedule](ctx, c.rest, c.call("get", name, http.MethodGet))
}

// ScheduleView chooses among schedules.
type ScheduleView string

// The views. The zero value is EnabledOnly.
const (
	EnabledOnly  ScheduleView = "EnabledOnly"
	DisabledOnly ScheduleView = "DisabledOnly"
	AllSchedules ScheduleView = "All"
)

// All yields the schedules of the workspace (Schedules_List).
func (c *ScheduleClient) All(ctx context.Context, view ScheduleView) iter.Seq2[*Schedule, error] {
	if view == "" {
		view = EnabledOnly
	}
	call := &rest.Call{Op: "schedules: list", Group: "schedules", Path: c.rest.Path("schedules"), Query: url.Values{"listViewType": {string(view)}}}
	return rest.All(ctx, c.rest, call, rest.As[Schedule])
}

// BeginEnable switches a schedule on (Schedules_Get, Schedules_CreateOrUpdate).
func (c *ScheduleClient) BeginEnable(ctx context.Context, name string, o *ScheduleOptions) (*runtime.Poller[*Schedule], error) {
	return c.turn(ctx, "enable", name, true, o)
}

// BeginDisable switches a schedule off (Schedules_Get, Schedules_CreateOrUpdate).
func (c *ScheduleClient) BeginDisable(ctx context.Context, name string, o *ScheduleOptions) (*runtime.Poller[*Schedule], error) {
	return c.turn(ctx, "disable", name, false, o)
}

func (c *ScheduleClient) turn(ctx context.Context, verb, name string, on bool, o *ScheduleOptions) (*runtime.Poller[*Schedule], error) {
	call := c.call(verb, name, http.MethodPut)
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		s, err := rest.Ask[Schedule](ctx, c.rest, c.call(verb, name, http.MethodGet))
		if err != nil {
			return nil, err
		}
		s.Enabled = &on
		if call.Body, err = wire.Body(s, c.jobs.id("schedules", name)); err != nil {
			return nil, fmt.Errorf("%s: %w", call.Op, err)
		}
	}
	return rest.Begin(ctx, c.rest, call, rest.As[Schedule])
}

// BeginDelete deletes a schedule (Schedules_Delete).
func (c *ScheduleClient) BeginDelete(ctx context.Context, name string, o *ScheduleOptions) (*runtime.Poller[azureml.Done], error) {
	call := c.call("delete", name, http.MethodDelete)
	call.ResumeToken = o.token()
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}

// Triggered is what a schedule has started.
type Triggered struct {
	JobName    string `json:"submissionId"`
	ActionType string `json:"scheduleActionType"`
}

// Trigger lets a schedule act once, now (Schedules_Trigger). at is the time that the schedule is told; the zero value is now.
func (c *ScheduleClient) Trigger(ctx context.Context, name string, at time.Time) (*Triggered, error) {
	if at.IsZero() {
		at = c.rest.Clock().Now()
	}
	call := c.call("trigger", name, http.MethodPost, "trigger")
	call.Group = "scheduleTrigger"
	call.Body = map[string]string{"scheduleTime": at.UTC().Format("2006-01-02T15:04:05.000000+00:00")}
	var raw json.RawMessage
	call.Out = &raw
	if err := c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	var out struct {
		Triggered
		Documented string `json:"jobName"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("%s: decoding the answer: %w", call.Op, err)
	}
	if out.JobName == "" { // as the service's documents have it
		out.JobName = out.Documented
	}
	return &out.Triggered, nil
}

// Jobs yields what a schedule has started, the newest first (Jobs_List).
func (c *ScheduleClient) Jobs(ctx context.Context, name string) iter.Seq2[*Run, error] {
	return c.jobs.All(ctx, &AllOptions{ScheduleID: name})
}
