package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/sampling"
	"github.com/azureml-go/azureml/internal/wire"
)

// sweepSpec is what is read of a sweep job's REST properties.
type sweepSpec struct {
	commandSpec
	Trial struct {
		CodeID               string            `json:"codeId"`
		EnvironmentID        string            `json:"environmentId"`
		Command              string            `json:"command"`
		EnvironmentVariables map[string]scalar `json:"environmentVariables"`
		Distribution         json.RawMessage   `json:"distribution"`
		Resources            json.RawMessage   `json:"resources"`
	} `json:"trial"`
	SearchSpace       json.RawMessage `json:"searchSpace"`
	SamplingAlgorithm json.RawMessage `json:"samplingAlgorithm"`
	EarlyTermination  json.RawMessage `json:"earlyTermination"`
	Objective         struct{ Goal, PrimaryMetric string }
	Limits            struct {
		MaxTotalTrials, MaxConcurrentTrials int
		Timeout, TrialTimeout               string
	} `json:"limits"`
}

func (s *sweepSpec) maximize() bool { return strings.EqualFold(s.Objective.Goal, "maximize") }

// loss turns the metric so that lower is better.
func (s *sweepSpec) loss(v float64) float64 {
	if s.maximize() {
		return -v
	}
	return v
}

// trial is the command job of one point. Outputs are not registered by
// trials: the best one's are, when the sweep has ended.
func (s *sweepSpec) trial(raw json.RawMessage, index int, values map[string]any) (json.RawMessage, map[string]string, error) {
	var parent map[string]json.RawMessage
	if err := json.Unmarshal(raw, &parent); err != nil {
		return nil, nil, err
	}
	params := map[string]string{}
	line := s.Trial.Command
	for k, v := range values {
		text, err := valueText(v)
		if err != nil {
			return nil, nil, err
		}
		params[k] = text
	}
	vars := maps.Clone(s.Trial.EnvironmentVariables)
	if vars == nil {
		vars = map[string]scalar{}
	}
	known := map[string]string{}
	for k, v := range params {
		known["search_space."+k] = v
	}
	for k, text := range vars {
		vars[k] = scalar(fill(string(text), known))
	}
	for k, v := range params { // as Azure sets them
		vars["AZUREML_SWEEP_"+k] = scalar(v)
	}
	line = reference.ReplaceAllStringFunc(line, func(e string) string {
		m := reference.FindStringSubmatch(e)
		if v, ok := params[m[2]]; ok && m[1] == "search_space" {
			return v
		}
		return e
	})
	outputs := map[string]*output{}
	for k := range s.Outputs {
		o := outputOf(&s.commandSpec, k)
		o.AssetName, o.AssetVersion = "", ""
		if shared(&o, k) {
			o.URI = ""
		}
		outputs[k] = &o
	}
	shown, err := json.Marshal(values)
	if err != nil {
		return nil, nil, err
	}
	p := map[string]any{
		"tags":    map[string]string{"hyperparameters": string(shown)},
		"jobType": "Command", "command": line, "codeId": s.Trial.CodeID, "environmentId": s.Trial.EnvironmentID, "environmentVariables": vars,
		"outputs": outputs, "displayName": strings.TrimSuffix(s.DisplayName+"_"+strconv.Itoa(index), "_"),
	}
	for _, k := range []string{"computeId", "experimentName", "inputs", "identity"} {
		if v, ok := parent[k]; ok {
			p[k] = v
		}
	}
	for k, v := range map[string]json.RawMessage{"distribution": s.Trial.Distribution, "resources": s.Trial.Resources} {
		if len(v) > 0 && string(v) != "null" {
			p[k] = v
		}
	}
	if p["resources"] == nil && parent["resources"] != nil {
		p["resources"] = parent["resources"]
	}
	if t := s.Limits.TrialTimeout; t != "" {
		p["limits"] = map[string]any{"jobLimitsType": "Command", "timeout": t}
	}
	b, err := json.Marshal(p)
	return b, params, err
}

// valueText is a value as the command sees it.
func valueText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case map[string]any, []any:
		b, err := json.Marshal(v)
		return string(b), err
	case float64:
		if v == 0 {
			return "0", nil // not -0
		}
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', -1, 64), nil
		}
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	}
	return wire.PythonStr(v), nil
}

// sweepFaults checks the sweep itself and a trial of it.
func (e *Engine) sweepFaults(ctx context.Context, sc arm.Scope, raw json.RawMessage) []*arm.Error {
	var s sweepSpec
	if err := json.Unmarshal(raw, &s); err != nil {
		return []*arm.Error{arm.Invalid("properties", "the job cannot be read: %v", err)}
	}
	var out []*arm.Error
	add := func(field string, err error) {
		if err != nil {
			out = append(out, arm.Invalid("properties."+field, "%v", err))
		}
	}
	space, err := sampling.ParseSpace(s.SearchSpace)
	add("searchSpace", err)
	if err == nil {
		_, err := sampling.NewSampler(space, s.SamplingAlgorithm, 0)
		add("samplingAlgorithm", err)
		values := map[string]any{}
		for _, n := range space.Names() {
			values[n] = "1"
		}
		trial, _, err := s.trial(raw, 0, values)
		add("trial", err)
		var c commandSpec
		if err == nil {
			err = json.Unmarshal(trial, &c)
			add("trial", err)
		}
		if err == nil {
			c.Limits = nil // checked below, under its own name
			for _, f := range e.faults(ctx, sc, &c) {
				for _, k := range []string{"command", "environmentId", "codeId", "distribution", "resources"} {
					if strings.HasPrefix(f.Target, "properties."+k) {
						f.Target = "properties.trial." + strings.TrimPrefix(f.Target, "properties.")
						break
					}
				}
				out = append(out, f)
			}
		}
	}
	_, err = sampling.NewPolicy(s.EarlyTermination, s.maximize())
	add("earlyTermination", err)
	if g := strings.ToLower(s.Objective.Goal); g != "maximize" && g != "minimize" {
		add("objective.goal", fmt.Errorf("want Maximize or Minimize, got %q", s.Objective.Goal))
	}
	if s.Objective.PrimaryMetric == "" {
		add("objective.primaryMetric", errors.New("the name of the metric is required"))
	}
	if s.Limits.MaxTotalTrials < 1 {
		add("limits.maxTotalTrials", errors.New("want at least one trial"))
	}
	for k, v := range map[string]string{"timeout": s.Limits.Timeout, "trialTimeout": s.Limits.TrialTimeout} {
		if v == "" {
			continue
		}
		if d, err := wire.ParseDuration(v); err != nil || d <= 0 {
			add("limits."+k, fmt.Errorf("want an ISO 8601 duration above zero such as PT1H, got %q", v))
		}
	}
	return out
}

// sweeping is a sweep under way.
type sweeping struct {
	j       *job
	s       *sweepSpec
	sampler sampling.Sampler
	policy  *sampling.Policy

	log sweepLog

	trials  map[string]*trialRun
	best    *trialRun
	failure error // of the first trial that failed
	done    int
}

type trialRun struct {
	name   string
	point  *sampling.Point
	loss   float64 // the best so far; NaN without a value
	metric float64
	failed bool // it cannot be the best one: what it put out is not whole
}

type trialValue struct {
	trial string
	value float64
}

// sweep runs the trials, some side by side, lets the policy end those that do
// badly, and makes the best one's outputs its own.
func (j *job) sweep() error {
	e, r := j.e, j.snapshot()
	w := &sweeping{j: j, s: &sweepSpec{}, trials: map[string]*trialRun{}}
	if err := json.Unmarshal(r.Spec, w.s); err != nil {
		return err
	}
	space, err := sampling.ParseSpace(w.s.SearchSpace)
	if err != nil {
		return err
	}
	h := fnv.New64a()
	h.Write([]byte(r.Name)) // a hash's Write does not fail
	if w.sampler, err = sampling.NewSampler(space, w.s.SamplingAlgorithm, h.Sum64()); err != nil {
		return err
	}
	if w.policy, err = sampling.NewPolicy(w.s.EarlyTermination, w.s.maximize()); err != nil {
		return err
	}
	l, err := j.ownLog(hyperdriveLog)
	if err != nil {
		return j.cause(err)
	}
	now := e.Clock()
	if err := e.store(j.ctx, j.change(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = Running
		}
		r.Started = now
		r.Outputs = destinations(r.Scope, r.Name, &w.s.commandSpec)
		r.note(w.s.properties())
	})); err != nil {
		return errors.Join(j.cause(err), l.finish())
	}
	w.log = sweepLog{l}
	w.log.say("API", "Experiment created")
	err = w.run()
	w.log.over(w.best, err)
	if err := errors.Join(err, l.finish()); err != nil {
		return err
	}
	j.enter(Finalizing)
	return w.conclude()
}

// run starts trials until there are enough and returns when all have ended.
func (w *sweeping) run() error {
	j := w.j
	var timeout <-chan struct{}
	if w.s.Limits.Timeout != "" {
		d, err := wire.ParseDuration(w.s.Limits.Timeout)
		if err != nil {
			return err
		}
		over, stop := j.e.deadline(j.snapshot().Started, d)
		defer stop()
		timeout = over
	}
	total := w.s.Limits.MaxTotalTrials
	width := w.s.Limits.MaxConcurrentTrials
	if width < 1 || width > total {
		width = total
	}
	values := make(chan trialValue)
	ends := make(chan string)
	active, started := 0, 0
	stop := j.ctx.Done()
	var stopped error
	halt := func(err error) {
		stopped, total = err, started
		for name := range w.trials {
			if t := j.e.running(j.rec.Scope, name); t != nil {
				t.requestCancel("The sweep was ended.")
			}
		}
	}
	for active > 0 || started < total {
		for active < width && started < total {
			p, ok := w.sampler.Next()
			if !ok {
				total = started
				w.log.all(started, w.s.Limits.MaxTotalTrials)
				break
			}
			name := j.rec.Name + "_" + strconv.Itoa(started)
			if err := w.start(name, started, p, values, ends); err != nil {
				halt(err)
				break
			}
			started++
			active++
			if started == w.s.Limits.MaxTotalTrials {
				w.log.all(started, started)
			}
		}
		if active == 0 {
			break
		}
		select {
		case v := <-values:
			w.observe(v)
		case name := <-ends:
			active--
			if err := w.ended(name); err != nil {
				halt(err)
			}
		case <-stop:
			stop = nil
			halt(context.Cause(j.ctx))
		case <-timeout:
			timeout = nil
			halt(fmt.Errorf("%w: the sweep ran longer than its limit of %s and was ended", errTimeout, w.s.Limits.Timeout))
		}
	}
	return stopped
}

// start submits one trial and watches its metric until it ends.
func (w *sweeping) start(name string, index int, p *sampling.Point, values chan<- trialValue, ends chan<- string) error {
	j := w.j
	r := j.snapshot()
	props, params, err := w.s.trial(r.Spec, index, p.Values)
	if err != nil {
		return err
	}
	metrics, stop := j.e.Tracking.Subscribe(r.Scope.Key(), name)
	if err := j.e.submit(j.ctx, submission{sc: r.Scope, name: name, properties: props, parent: r, params: params}); err != nil {
		stop()
		return j.cause(err)
	}
	w.trials[name] = &trialRun{name: name, point: p, loss: math.NaN()}
	if shown, err := json.Marshal(p.Values); err == nil {
		w.log.began(name, string(shown))
	}
	go func() {
		over := make(chan struct{})
		go func() {
			defer close(over)
			// The engine waits for trials, so an error can only be that it is closing.
			_, _ = j.e.Wait(context.WithoutCancel(j.ctx), r.Scope, name)
		}()
		for waiting := true; waiting; {
			select {
			case m := <-metrics:
				if m.Key == w.s.Objective.PrimaryMetric {
					values <- trialValue{name, m.Value}
				}
			case <-over:
				waiting = false
			}
		}
		stop()
		ends <- name
	}()
	return nil
}

// observe takes one value as it arrives and ends the trials that the policy names.
func (w *sweeping) observe(v trialValue) {
	w.improve(w.trials[v.trial], v.value)
	for _, name := range w.policy.Observe(v.trial, v.value) {
		if t := w.j.e.running(w.j.rec.Scope, name); t != nil {
			w.log.stopped(name, w.s.Objective.PrimaryMetric, w.policy.Last(name))
			t.requestCancel("The trial was ended by the early termination policy.")
		}
	}
}

func (w *sweeping) improve(t *trialRun, value float64) {
	if math.IsNaN(value) {
		return
	}
	if l := w.s.loss(value); math.IsNaN(t.loss) || l < t.loss {
		t.loss, t.metric = l, value
	}
	if !t.failed && (w.best == nil || t.loss < w.best.loss) {
		w.best = t
	}
}

// fail takes a trial that failed out of the race.
func (w *sweeping) fail(t *trialRun) {
	t.failed = true
	if w.best != t {
		return
	}
	w.best = nil
	for _, name := range sorted(w.trials) {
		if o := w.trials[name]; !o.failed && !math.IsNaN(o.loss) && (w.best == nil || o.loss < w.best.loss) {
			w.best = o
		}
	}
}

// ended takes what a trial came to, from what is stored: the values on the
// way may have been overtaken by its end.
func (w *sweeping) ended(name string) error {
	j, t := w.j, w.trials[name]
	ctx := context.WithoutCancel(j.ctx)
	r, err := j.e.Record(ctx, j.rec.Scope, name)
	if err != nil {
		return err
	}
	for m, err := range j.e.Tracking.History(ctx, r.Scope.Key(), name, w.s.Objective.PrimaryMetric) {
		if err != nil {
			return err
		}
		w.improve(t, m.Value)
	}
	if r.Status == Failed {
		w.fail(t)
	}
	w.nameBest() // also for a sweep that is ended before its time
	w.policy.Ended(name)
	w.sampler.Observe(t.point, t.loss)
	w.log.ended(r, w.s.Objective.PrimaryMetric, t)
	switch {
	case r.Status == Completed:
		w.done++
	case r.Status == Failed && w.failure == nil && r.Error != nil:
		w.failure = userError("The trial %s failed: %s", name, r.Error.Message)
	}
	return nil
}

// properties are those that Azure's sweeps have from their beginning.
func (s *sweepSpec) properties() map[string]string {
	metric, err := json.Marshal(struct {
		Name string `json:"name"`
		Goal string `json:"goal"`
	}{s.Objective.PrimaryMetric, strings.ToLower(s.Objective.Goal)})
	if err != nil {
		metric = nil // two strings are always JSON
	}
	return map[string]string{"runTemplate": "HyperDrive", "azureml.runsource": "hyperdrive", "platform": "AML", "primary_metric_config": string(metric)}
}

// nameBest says which trial is the best so far.
func (w *sweeping) nameBest() {
	w.j.alter(func(r *Record) {
		if w.best == nil { // perhaps it failed meanwhile
			for _, k := range []string{"best_child_run_id", "best_data_container_id", "score", "best_metric_status"} {
				delete(r.Properties, k)
			}
			return
		}
		r.Properties["best_child_run_id"] = w.best.name
		r.Properties["best_data_container_id"] = "dcid." + w.best.name
		r.Properties["score"] = strconv.FormatFloat(w.best.metric, 'g', -1, 64)
		r.Properties["best_metric_status"] = "Succeeded"
	})
}

// conclude names the best trial and registers its outputs.
func (w *sweeping) conclude() error {
	j := w.j
	if w.done == 0 && w.failure != nil {
		return w.failure
	}
	if w.best == nil {
		return userError("No trial logged the metric %q.", w.s.Objective.PrimaryMetric)
	}
	ctx := context.WithoutCancel(j.ctx)
	best, err := j.e.Record(ctx, j.rec.Scope, w.best.name)
	if err != nil {
		return err
	}
	j.change(func(r *Record) {
		own := r.Outputs["default"]
		maps.Copy(r.Outputs, best.Outputs)
		r.Outputs["default"] = own
	})
	if err := w.bring(ctx, best); err != nil {
		return j.cause(err)
	}
	r := j.snapshot()
	var errs []error
	for _, k := range sorted(w.s.Outputs) {
		o := outputOf(&w.s.commandSpec, k)
		if o.AssetName == "" {
			continue
		}
		d := r.Outputs[k]
		id, err := j.e.Register(ctx, r.Scope, Asset{Collection: registeredAs(o.Type), Name: o.AssetName, Version: o.AssetVersion, Type: o.Type, URI: d.URI, Job: w.best.name, Description: o.Description})
		if err != nil {
			errs = append(errs, userError("the output %q could not be registered as %s: %v", k, o.AssetName, err))
			continue
		}
		j.alter(func(r *Record) { d.AssetID = id; r.Outputs[k] = d })
	}
	return errors.Join(errs...)
}

// shared is true of an output whose address is the same for all trials. They
// write to places of their own then, lest the last one's output be the sweep's.
func shared(o *output, name string) bool {
	return o.URI != "" && o.Mode != "Direct" && fixed(o.URI, name)
}

// bring copies the best trial's outputs to where those of the sweep were to go.
func (w *sweeping) bring(ctx context.Context, best *Record) error {
	j := w.j
	for _, k := range sorted(w.s.Outputs) {
		o := outputOf(&w.s.commandSpec, k)
		if !shared(&o, k) {
			continue
		}
		to := Output{Type: o.Type, URI: arm.ExpandOutput(o.URI, j.rec.Name, k)}
		if err := j.e.copyTo(ctx, j.rec.Scope, best.Outputs[k].URI, to.URI); err != nil {
			return fmt.Errorf("the output %q of the best trial: %w", k, err)
		}
		j.change(func(r *Record) { r.Outputs[k] = to })
	}
	return nil
}
