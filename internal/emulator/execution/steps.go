package execution

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// pipeline runs the steps of a pipeline job, each as soon as those that it
// reads from have completed.
func (j *job) pipeline() error {
	e, r := j.e, j.snapshot()
	g, faults := e.graph(j.ctx, r.Scope, r.Spec)
	if len(faults) > 0 {
		return j.cause(faults[0])
	}
	now := e.Clock()
	if err := e.store(j.ctx, j.change(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = Running
		}
		r.Started = now
		r.Outputs = destinations(r.Scope, r.Name, &g.spec.commandSpec)
		r.Properties = map[string]string{"azureml.runsource": "azureml.PipelineRun", "azureml.continue_on_step_failure": pythonBool(bool(g.spec.Settings.ContinueOnStepFailure))}
	})); err != nil {
		return j.cause(err)
	}
	p := &pipelining{j: j, g: g, state: map[string]string{}, runs: map[string]*Record{}}
	err := p.run()
	j.enter(Finalizing)
	if err == nil {
		p.promote()
	}
	return err
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// pipelining is a pipeline under way.
type pipelining struct {
	j     *job
	g     *graph
	state map[string]string  // by step: "" not begun, else the state of its job
	runs  map[string]*Record // by step, of jobs that have ended
}

// child is the name of a step's job.
func (p *pipelining) child(step string) string { return p.j.rec.Name + "_" + step }

func (p *pipelining) run() error {
	j := p.j
	ends := make(chan string)
	active := 0
	stop := j.ctx.Done()
	var failure error
	halt := func(err error, reason string) {
		if failure == nil {
			failure = err
		}
		for step, state := range p.state {
			if state == Running {
				if c := j.e.running(j.rec.Scope, p.child(step)); c != nil {
					c.requestCancel(reason)
				}
			}
		}
	}
	for {
		if failure == nil || p.goesOn() && context.Cause(j.ctx) == nil {
			for _, name := range p.ready() {
				if err := p.start(name, ends); err != nil {
					halt(err, "The pipeline was ended.")
					break
				}
				active++
			}
		}
		if active == 0 {
			return failure
		}
		select {
		case name := <-ends:
			active--
			if err := p.ended(name); err != nil {
				if p.goesOn() {
					failure = errors.Join(failure, err)
				} else {
					halt(err, fmt.Sprintf("The step %s failed.", name))
				}
			}
		case <-stop:
			stop = nil
			halt(context.Cause(j.ctx), "The pipeline was canceled.")
		}
	}
}

func (p *pipelining) goesOn() bool { return bool(p.g.spec.Settings.ContinueOnStepFailure) }

// ready lists the steps that have not begun and whose inputs are there.
func (p *pipelining) ready() []string {
	var out []string
steps:
	for _, name := range p.g.order {
		if p.state[name] != "" {
			continue
		}
		for _, a := range p.g.steps[name].after {
			if p.state[a] != Completed {
				continue steps
			}
		}
		out = append(out, name)
	}
	return out
}

func (p *pipelining) start(name string, ends chan<- string) error {
	j := p.j
	r := j.snapshot()
	props, err := p.g.job(r.Scope, r.Name, p.g.steps[name], p.output)
	if err != nil {
		return err
	}
	if err := j.e.submit(j.ctx, submission{sc: r.Scope, name: p.child(name), properties: props, parent: r}); err != nil {
		return j.cause(err)
	}
	p.state[name] = Running
	go func() {
		// The engine waits for steps, so an error can only be that it is closing.
		_, _ = j.e.Wait(context.WithoutCancel(j.ctx), r.Scope, p.child(name))
		ends <- name
	}()
	return nil
}

// output is the address of a step's output.
func (p *pipelining) output(step, output string) (string, error) {
	r := p.runs[step]
	if r == nil {
		return "", fmt.Errorf("the step %q has not ended", step)
	}
	o, ok := r.Outputs[output]
	if !ok {
		return "", fmt.Errorf("the step %q has no output %q", step, output)
	}
	return o.URI, nil
}

func (p *pipelining) ended(name string) error {
	r, err := p.j.e.Record(context.WithoutCancel(p.j.ctx), p.j.rec.Scope, p.child(name))
	if err != nil {
		return err
	}
	p.state[name], p.runs[name] = r.Status, r
	switch r.Status {
	case Failed:
		msg := "it failed"
		if r.Error != nil {
			msg = r.Error.Message
		}
		return userError("The step %s failed: %s", name, msg)
	case Canceled:
		return userError("The step %s was canceled: %s", name, r.Reason)
	}
	return nil
}

// promote gives the pipeline the addresses and assets of the outputs that its
// steps filled.
func (p *pipelining) promote() {
	found := map[string]Output{}
	for name, s := range p.g.steps {
		for k, o := range s.Outputs {
			if o == nil {
				continue
			}
			if m := toOutput.FindStringSubmatch(o.Value); m != nil && p.runs[name] != nil {
				found[m[1]] = p.runs[name].Outputs[k]
			}
		}
	}
	p.j.change(func(r *Record) { maps.Copy(r.Outputs, found) })
}
