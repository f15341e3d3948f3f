package mlflow

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"os"
	"runtime/debug"
	"time"
)

// Runs are the runs of a tracking server.
type Runs struct{ c *Client }

// Handle is a run by id, without a call: its Info holds nothing else.
func (s *Runs) Handle(id string) *Run { return &Run{c: s.c, Info: RunInfo{ID: id}} }

// Get reads a run. GET mlflow/runs/get.
func (s *Runs) Get(ctx context.Context, id string) (*Run, error) {
	var out struct {
		Run runWire `json:"run"`
	}
	err := s.c.do(ctx, call{op: fmt.Sprintf("get run %q", id), method: "GET", path: "mlflow/runs/get", query: url.Values{"run_id": {id}, "run_uuid": {id}}, out: &out})
	if err != nil {
		return nil, err
	}
	return (&Run{c: s.c}).fill(&out.Run), nil
}

// NewRun is a run to be created.
type NewRun struct {
	ExperimentID string // defaults to experiment 0
	Name         string // defaults to one that the server makes up
	Start        time.Time
	Parent       string // the id of the run to nest in
	Tags         map[string]string
}

// Create makes a run with exactly what it is given. Start adds what MLflow's clients add.
// POST mlflow/runs/create.
func (s *Runs) Create(ctx context.Context, n NewRun) (*Run, error) {
	if n.ExperimentID == "" {
		n.ExperimentID = "0"
	}
	if n.Start.IsZero() {
		n.Start = s.c.clock.Now()
	}
	op := fmt.Sprintf("create run in experiment %q", n.ExperimentID)
	tags := maps.Clone(n.Tags)
	if n.Parent != "" {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[TagParent] = n.Parent
	}
	pairs, err := s.c.pairs("tag", tags, maxTagValue)
	if err != nil {
		return nil, fault(op, "%v", err)
	}
	body := map[string]any{"experiment_id": n.ExperimentID, "user_id": s.c.userName(), "start_time": millis(n.Start)}
	if n.Name != "" {
		body["run_name"] = n.Name
	}
	if len(pairs) > 0 {
		body["tags"] = pairs
	}
	var out struct {
		Run runWire `json:"run"`
	}
	if err := s.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/create", body: body, out: &out, creates: true}); err != nil {
		return nil, err
	}
	return (&Run{c: s.c}).fill(&out.Run), nil
}

// Delete hides a run until it is restored. POST mlflow/runs/delete.
func (s *Runs) Delete(ctx context.Context, id string) error {
	return s.c.do(ctx, call{op: fmt.Sprintf("delete run %q", id), method: "POST", path: "mlflow/runs/delete", body: map[string]any{"run_id": id}})
}

// Restore undoes Delete. POST mlflow/runs/restore.
func (s *Runs) Restore(ctx context.Context, id string) error {
	return s.c.do(ctx, call{op: fmt.Sprintf("restore run %q", id), method: "POST", path: "mlflow/runs/restore", body: map[string]any{"run_id": id}})
}

// All lists the runs of experiments, by id. POST mlflow/runs/search.
func (s *Runs) All(ctx context.Context, experiments []string, q *Search) iter.Seq2[*Run, error] {
	if q == nil {
		q = &Search{}
	}
	return pages(ctx, func(ctx context.Context, token string) ([]*Run, string, error) {
		if len(experiments) == 0 {
			return nil, "", fault("search runs", "name at least one experiment")
		}
		body := map[string]any{"experiment_ids": experiments, "max_results": 1000}
		q.fill(body)
		if q.View != "" {
			body["run_view_type"] = q.View
		}
		if token != "" {
			body["page_token"] = token
		}
		var out struct {
			Runs []runWire `json:"runs"`
			Next string    `json:"next_page_token"`
		}
		if err := s.c.do(ctx, call{op: "search runs", method: "POST", path: "mlflow/runs/search", body: body, out: &out}); err != nil {
			return nil, "", err
		}
		list := make([]*Run, len(out.Runs))
		for i := range out.Runs {
			list[i] = (&Run{c: s.c}).fill(&out.Runs[i])
		}
		return list, out.Next, nil
	})
}

// StartOptions of Start. The zero value is the job's run inside a job, a new run elsewhere.
type StartOptions struct {
	// RunID resumes this run. Inside a job it defaults to the job's own run, unless New is set or a field
	// below names a place for a new one.
	RunID string
	// New makes a run of its own even inside a job.
	New bool
	// Experiment is a name, and is made when it is not there; ExperimentID an id. They default to
	// MLFLOW_EXPERIMENT_ID or _NAME, else to the parent's, else to experiment 0.
	Experiment, ExperimentID string
	// Parent is the id of the run to nest in.
	Parent      string
	Name        string
	Description string
	Tags        map[string]string
	// SystemMetrics logs CPU, memory, disk and network while the run goes on; End stops it. Defaults to
	// MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING in a client of FromEnvironment.
	SystemMetrics bool
}

// Start connects to a tracking server and starts a run there: New, then Client.Start. The run's client is
// reached by its Client method.
func Start(ctx context.Context, uri string, o *Options, s *StartOptions) (*Run, error) {
	c, err := New(uri, o)
	if err != nil {
		return nil, err
	}
	r, err := c.Start(ctx, s)
	if err != nil {
		return nil, join(err, c.Close())
	}
	return r, nil
}

// Client is the client that the run was made by.
func (r *Run) Client() *Client { return r.c }

// Start resumes the job's run, or the one that is named, or makes a new one with the tags that MLflow's
// clients give: user, source, commit.
func (c *Client) Start(ctx context.Context, o *StartOptions) (*Run, error) {
	if o == nil {
		o = &StartOptions{}
	}
	id := o.RunID
	if id == "" && !o.New && o.Parent == "" && o.Experiment == "" && o.ExperimentID == "" {
		id = c.env.runID
	}
	var r *Run
	var err error
	if id != "" {
		r, err = c.resume(ctx, id, o)
	} else {
		r, err = c.create(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	if o.SystemMetrics || c.env.systemMetrics {
		r.MonitorSystem(&SystemOptions{Interval: c.env.systemInterval, Samples: c.env.systemSamples, Node: c.env.systemNode, Resume: id != ""})
	}
	return r, nil
}

func (c *Client) resume(ctx context.Context, id string, o *StartOptions) (*Run, error) {
	r, err := c.Runs.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.Info.Deleted {
		return nil, fault(fmt.Sprintf("start run %q", id), "it is deleted; restore it first")
	}
	u := RunUpdate{}
	if o.Name != "" && o.Name != r.Info.Name {
		u.Name = o.Name
	}
	if r.Info.Status != Running && id != c.ownRun {
		u.Status = Running
	}
	if u != (RunUpdate{}) {
		if err := r.Update(ctx, u); err != nil {
			return nil, err
		}
	}
	tags := maps.Clone(o.Tags)
	if o.Description != "" {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[TagDescription] = o.Description
	}
	if len(tags) > 0 {
		if err := r.SetTags(ctx, tags); err != nil {
			return nil, err
		}
		maps.Copy(r.Data.Tags, tags)
	}
	return r, nil
}

func (c *Client) create(ctx context.Context, o *StartOptions) (*Run, error) {
	experiment, err := c.experiment(ctx, o)
	if err != nil {
		return nil, err
	}
	tags := c.sourceTags()
	if o.Description != "" {
		tags[TagDescription] = o.Description
	}
	maps.Copy(tags, o.Tags)
	return c.Runs.Create(ctx, NewRun{ExperimentID: experiment, Name: o.Name, Parent: o.Parent, Tags: tags})
}

// experiment gives the id of the experiment to start in.
func (c *Client) experiment(ctx context.Context, o *StartOptions) (string, error) {
	switch {
	case o.ExperimentID != "":
		return o.ExperimentID, nil
	case o.Experiment != "":
		return c.Experiments.Ensure(ctx, o.Experiment)
	case o.Parent != "":
		parent, err := c.Runs.Get(ctx, o.Parent)
		if err != nil {
			return "", err
		}
		return parent.Info.ExperimentID, nil
	case c.env.experimentID != "":
		return c.env.experimentID, nil
	case c.env.experimentName != "":
		return c.Experiments.Ensure(ctx, c.env.experimentName)
	}
	return "0", nil
}

// sourceTags are those of MLflow's default run context; the commit is the one the program was built of.
func (c *Client) sourceTags() map[string]string {
	tags := map[string]string{TagUser: c.userName(), TagSourceType: "LOCAL", TagSourceName: "<console>"}
	if len(os.Args) > 0 && os.Args[0] != "" {
		tags[TagSourceName] = os.Args[0]
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				tags[TagGitCommit] = s.Value
			}
		}
	}
	return tags
}

// StartChild starts a run nested in this one.
func (r *Run) StartChild(ctx context.Context, o *StartOptions) (*Run, error) {
	child := StartOptions{}
	if o != nil {
		child = *o
	}
	child.Parent = r.Info.ID
	if child.ExperimentID == "" && child.Experiment == "" {
		child.ExperimentID = r.Info.ExperimentID
	}
	return r.c.Start(ctx, &child)
}

// Children lists the runs nested in this one.
func (r *Run) Children(ctx context.Context) iter.Seq2[*Run, error] {
	return func(yield func(*Run, error) bool) {
		if r.Info.ExperimentID == "" {
			if err := r.Refresh(ctx); err != nil {
				yield(nil, err)
				return
			}
		}
		q := &Search{Filter: fmt.Sprintf("tags.`%s` = '%s'", TagParent, r.Info.ID)}
		for child, err := range r.c.Runs.All(ctx, []string{r.Info.ExperimentID}, q) {
			if !yield(child, err) {
				return
			}
		}
	}
}

// join is errors.Join that leaves a single error as it is.
func join(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return errors.Join(a, b)
}
