package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// Plan is what Submit would do with a job. It prints as tables.
type Plan struct {
	Name       string // that the job would have
	Type       string // the service's word: Command, Sweep, Pipeline …
	Experiment string
	Uploads    []PlannedUpload
	Assets     []PlannedAsset
	Steps      []PlannedStep
	// Problems are what Submit would refuse. The rest of the plan is as good as it can be with them.
	Problems azureml.Faults
}

// PlannedUpload is a folder or file here that the job needs.
type PlannedUpload struct {
	Field string // the first one that names it, such as "jobs.prep.component.code"
	Kind  string // code, data, or build context
	From  string // the folder or file, or what is compiled
	assets.UploadPlan
}

// PlannedAsset is what the job names, or defines in place.
type PlannedAsset struct {
	Field         string // the first one that names it
	Kind          string // data, model, environment, component or code
	Given         string // as the job says it
	Name, Version string // what that is; of registered things
	ID            string
	// New tells what would be registered. Reason says why it would, or would not.
	New    bool
	Reason string
}

// Decision is what becomes of a step.
type Decision string

// The decisions.
const (
	// ReuseStep takes over what an earlier run of the step gave.
	ReuseStep Decision = "reuse"
	// RunStep runs the step.
	RunStep Decision = "run"
	// DecidedByService is what is known of a pipeline in Azure: it is decided when the step's turn comes.
	DecidedByService Decision = "decided by the service"
	// Undecided is a step of a job that has problems.
	Undecided Decision = "undecided"
)

// PlannedStep is a step of a pipeline. Other jobs are one step, which always runs.
type PlannedStep struct {
	Name     string
	Decision Decision
	// Reason is the first one for the decision.
	Reason string
	// Run is the child run that is reused.
	Run string
}

// Plan says what Submit would do, without doing it: every file that would be uploaded and why, every name resolved to a
// version, what would be registered, which steps of a pipeline would be reused or run, and every problem. It compiles Go
// programs and reads files here, and of the service it reads alone; it sends nothing that changes anything.
// (CodeVersions_List, Datastores_ListSecrets, ComponentVersions_Get and the like.)
//
// Problems are no error: they are in the plan. On a local workspace the steps are decided by the function that decides
// when they are run, as if nothing else happened before; Azure tells nobody beforehand.
func (c *Client) Plan(ctx context.Context, spec Spec, o *SubmitOptions) (p *Plan, err error) {
	if o == nil {
		o = &SubmitOptions{}
	}
	d, name, kept, err := prepare(spec, o)
	op := fmt.Sprintf("jobs: plan %q", name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	p = &Plan{Name: name, Type: d.jobType()}
	r := newResolver(c, op, o)
	r.plan = &planning{plan: p, labels: map[string]string{}, assets: map[string]bool{}, specs: map[string]map[string]any{}}
	defer func() { err = errors.Join(err, r.close()) }()
	check := &checker{ctx: ctx, r: r, faults: kept}
	d.check(ctx, check)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	p.Problems = check.faults
	if err := d.resolve(ctx, r); err != nil && (ctx.Err() != nil || len(p.Problems) == 0) {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	c.defaults(ctx, d, name, o)
	p.Experiment = *d.head().experiment
	if p.Steps, err = c.steps(ctx, r, d, name); err != nil {
		return nil, err
	}
	return p, nil
}

// steps are the job's, decided where that can be known.
func (c *Client) steps(ctx context.Context, r *resolver, d definition, name string) ([]PlannedStep, error) {
	op, plan := r.op, r.plan.plan
	j, ok := d.(*PipelineJob)
	if len(plan.Problems) == 0 {
		body, err := wire.Body(d, c.id("jobs", name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		decided, err := c.decide(ctx, op, plan, r.plan.whole(body))
		if err != nil || len(decided) > 0 {
			return decided, err
		}
	}
	faulty := len(plan.Problems) > 0
	if !ok {
		s := PlannedStep{Name: name, Decision: RunStep, Reason: "only steps of pipelines are reused"}
		if faulty {
			s.Decision, s.Reason = Undecided, "the problems come first"
		}
		return []PlannedStep{s}, nil
	}
	var out []PlannedStep
	for _, step := range j.names() {
		s := PlannedStep{Name: step, Decision: DecidedByService}
		if faulty {
			s.Decision, s.Reason = Undecided, "the problems come first"
		}
		out = append(out, s)
	}
	return out, nil
}

// decide asks a local workspace, which discovery tells by an address of its own, and notes the problems that it names; nil
// where there is none.
func (c *Client) decide(ctx context.Context, op string, plan *Plan, body map[string]any) ([]PlannedStep, error) {
	services, err := c.rest.Services(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	path, ok := strings.CutPrefix(services["local"], services["api"])
	if !ok || services["local"] == "" {
		return nil, nil
	}
	var answer struct {
		Steps []struct {
			Name     string   `json:"name"`
			Decision Decision `json:"decision"`
			Reason   string   `json:"reason"`
			Run      string   `json:"run"`
		} `json:"steps"`
		Problems []struct {
			Field   string `json:"field"`
			Message string `json:"message"`
		} `json:"problems"`
	}
	var ids []string
	for _, a := range plan.Assets {
		if a.New {
			ids = append(ids, a.ID)
		}
	}
	body["planned"] = ids
	err = c.rest.Do(ctx, &rest.Call{
		Op: op, Method: http.MethodPost, Idempotent: true, Plane: rest.API, Path: path + c.rest.Path("reuse"),
		Body: body, Out: &answer,
	})
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, p := range answer.Problems {
		plan.Problems = append(plan.Problems, &azureml.Fault{Field: strings.TrimPrefix(p.Field, "properties."), Message: p.Message})
	}
	out := make([]PlannedStep, 0, len(answer.Steps))
	for _, s := range answer.Steps {
		if s.Decision == ReuseStep && s.Reason == "" {
			s.Reason = "nothing that it depends on has changed"
		}
		out = append(out, PlannedStep{s.Name, s.Decision, s.Reason, s.Run})
	}
	return out, nil
}

// Bytes is how much would be uploaded.
func (p *Plan) Bytes() int64 {
	var n int64
	for _, u := range p.Uploads {
		n += u.Bytes
	}
	return n
}

// String is the plan as tables.
func (p *Plan) String() string {
	var b strings.Builder
	if err := p.Fprint(&b); err != nil {
		return err.Error() // a builder takes all
	}
	return b.String()
}

// Fprint writes the plan as tables: uploads with their files, assets, steps and problems.
func (p *Plan) Fprint(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s in experiment %s: %s to upload\n", p.Type, p.Name, p.Experiment, bytesText(p.Bytes()))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	columns := 0
	row := func(cells ...string) { // short rows would end the columns
		fmt.Fprintln(t, strings.Join(cells, "\t")+strings.Repeat("\t", max(0, columns-len(cells))))
	}
	table := func(head ...string) {
		columns = 0
		row()
		columns = len(head)
		row(head...)
	}
	if len(p.Uploads) > 0 {
		table("UPLOAD", "FROM", "SIZE", "DECISION", "REASON")
	}
	for _, u := range p.Uploads {
		what, total := "upload", int64(0)
		if u.Reused {
			what = "reuse"
		}
		for _, f := range u.Files {
			total += f.Size
		}
		row(u.Kind, u.From, bytesText(total), what, u.Reason)
		files := slices.SortedFunc(slices.Values(u.Files), func(a, b assets.FilePlan) int { return strings.Compare(a.Name, b.Name) })
		for _, f := range files { // a disk has them in any order
			switch {
			case f.Sent:
				row("", "  "+f.Name, bytesText(f.Size), "upload")
			case !u.Reused:
				row("", "  "+f.Name, bytesText(f.Size), "reuse", "it is there already")
			}
		}
	}
	if len(p.Assets) > 0 {
		table("ASSET", "GIVEN", "VERSION", "DECISION", "REASON")
	}
	for _, a := range p.Assets {
		what := "use"
		if a.New {
			what = "register"
		}
		row(a.Kind, a.Given, a.Name+":"+a.Version, what, a.Reason)
	}
	if len(p.Steps) > 0 {
		table("STEP", "DECISION", "REASON")
	}
	for _, s := range p.Steps {
		reason := s.Reason
		if s.Run != "" {
			reason = strings.TrimPrefix(reason+" ("+s.Run+")", " ")
		}
		row(s.Name, string(s.Decision), reason)
	}
	if len(p.Problems) > 0 {
		table("PROBLEM", "")
	}
	for _, f := range p.Problems {
		row(f.Field, f.Message)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// bytesText is a number of bytes for people.
func bytesText(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, units := float64(n), []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	for f /= 1000; f >= 1000 && len(units) > 1; f /= 1000 {
		units = units[1:]
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[0]
}
