package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// StepPlan is what would become of one step of a pipeline.
type StepPlan struct {
	// Name is the step's; a step of a nested pipeline has that one's before it: "inner.train".
	Name string `json:"name"`
	// Decision is "reuse" or "run".
	Decision string `json:"decision"`
	// Reason is why it runs; "" for one that is reused.
	Reason string `json:"reason,omitempty"`
	// Run is the job whose result would be reused, else "".
	Run string `json:"run,omitempty"`
}

// Plan says of each step of a pipeline whether it would be reused or run, by
// the function that decides when the pipeline runs. It changes nothing.
// Components that are not registered stand in a node's component instead of its
// componentId, with "planned:" and a hash for code that is not uploaded.
func (e *Engine) Plan(ctx context.Context, sc arm.Scope, properties json.RawMessage) ([]StepPlan, error) {
	p, err := e.planned(withMemory(ctx), sc, properties)
	if err != nil {
		return nil, err
	}
	return p.steps, nil
}

// planning is a pipeline that is walked through without being run.
type planning struct {
	e     *Engine
	ctx   context.Context
	sc    arm.Scope
	g     *graph
	u     *reuser
	steps []StepPlan
	runs  map[string]string            // reasons, by node
	outs  map[string]map[string]Output // of nodes that are reused, by node
	from  map[string]string            // the run that a node's outputs are of
	left  map[string]bool              // nodes that their if_else leaves out
}

// errRuns says that a step's output is not there yet.
type errRuns struct{ step string }

func (e *errRuns) Error() string {
	return "its input data comes from " + e.step + ", which runs"
}

func (e *Engine) planned(ctx context.Context, sc arm.Scope, properties json.RawMessage) (*planning, error) {
	g, faults := e.graphWith(ctx, sc, properties, true)
	if len(faults) > 0 {
		f := arm.Invalid("properties", "the pipeline has %d faults; the first: %s", len(faults), faults[0].Message)
		f.Details = faults
		return nil, f
	}
	p := &planning{e: e, ctx: ctx, sc: sc, g: g, u: newReuser(e, sc, g), runs: map[string]string{}, outs: map[string]map[string]Output{}, from: map[string]string{}, left: map[string]bool{}}
	p.u.plan = true
	p.u.c.unknown = true
	seen := map[string]bool{}
	var visit func(name string) error
	visit = func(name string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		s := g.steps[name]
		if s.loop != "" {
			return visit(s.loop)
		}
		for _, a := range s.after {
			if err := visit(a); err != nil {
				return err
			}
		}
		return p.node(s)
	}
	for _, name := range g.order {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *planning) node(s *step) error {
	if p.leftOut(s) {
		p.left[s.name] = true
		return nil
	}
	if s.guard != "" && p.runs[s.guard] != "" {
		p.run(s.name, "the condition of "+s.guard+" is not known before it runs")
		return nil
	}
	switch s.Type {
	case ifElse:
		v, err := p.text(s.control.condition)
		if err == nil {
			var b bool
			if b, err = truth(v); err == nil {
				p.from[s.name] = strconv.FormatBool(b)
			}
		}
		if err != nil {
			p.runs[s.name] = err.Error()
		}
		return nil
	case doWhile, parallelFor:
		p.runs[s.name] = "loop"
		p.run(s.body.name, "whether its rounds run is decided when they begin")
		return nil
	}
	var props json.RawMessage
	var err error
	if s.component == nil || s.component.missing != "" {
		p.run(s.name, "its component is new: "+s.componentName()+" is not registered")
		return nil
	}
	if props, err = p.g.job(p.sc, "plan", s, p); err == nil && s.kindOf().component == "pipeline" {
		return p.nested(s, props)
	}
	var moved *errRuns
	if errors.As(err, &moved) {
		p.run(s.name, moved.Error())
		return nil
	}
	if err != nil {
		return err
	}
	d, err := p.u.decision(p.ctx, s, props)
	if err != nil {
		return err
	}
	if d.reuse == nil {
		p.run(s.name, d.reason)
		return nil
	}
	p.steps = append(p.steps, StepPlan{Name: s.name, Decision: "reuse", Run: d.reuse.run})
	p.outs[s.name], p.from[s.name] = d.reuse.rec.Outputs, d.reuse.run
	return nil
}

func (p *planning) run(step, reason string) {
	p.runs[step] = reason
	p.steps = append(p.steps, StepPlan{Name: step, Decision: "run", Reason: reason})
}

// leftOut is true of a node whose if_else is known to go the other way, and of
// what reads from it.
func (p *planning) leftOut(s *step) bool {
	if s.guard != "" && p.from[s.guard] != "" && p.from[s.guard] != strconv.FormatBool(s.when) {
		return true
	}
	for _, a := range s.after {
		if p.left[a] {
			return true
		}
	}
	return false
}

// nested plans the steps of a pipeline inside.
func (p *planning) nested(s *step, props json.RawMessage) error {
	in, err := p.e.planned(p.ctx, p.sc, props)
	if err != nil {
		return err
	}
	at := len(p.steps)
	p.steps = append(p.steps, StepPlan{Name: s.name, Decision: "reuse"})
	for _, x := range in.steps {
		x.Name = s.name + "." + x.Name
		p.steps = append(p.steps, x)
		if x.Decision == "run" && p.steps[at].Decision == "reuse" {
			p.steps[at].Decision, p.steps[at].Reason = "run", "its step "+x.Name+" runs: "+x.Reason
		}
	}
	if p.steps[at].Decision == "run" {
		p.runs[s.name] = p.steps[at].Reason
		return nil
	}
	p.outs[s.name] = map[string]Output{}
	for name, x := range in.g.steps {
		for k, o := range x.Outputs {
			if o == nil {
				continue
			}
			if m := toOutput.FindStringSubmatch(o.Value); m != nil {
				if v, ok := in.outs[name][k]; ok {
					p.outs[s.name][m[1]] = v
				}
			}
		}
	}
	return nil
}

func (p *planning) text(text string) (string, error) {
	if m := fromStep.FindStringSubmatch(text); m != nil {
		return p.value(m[1], m[2])
	}
	return p.g.bind(text), nil
}

func (p *planning) output(step, output string) (Output, error) {
	o := p.g.owner(step)
	if p.outs[o] == nil {
		return Output{}, &errRuns{step}
	}
	v, ok := p.outs[o][output]
	if !ok {
		return Output{}, fmt.Errorf("the step %q has no output %q", step, output)
	}
	return v, nil
}

func (p *planning) value(step, output string) (string, error) {
	o := p.g.owner(step)
	if p.outs[o] == nil {
		return "", &errRuns{step}
	}
	return p.e.literal(p.ctx, &Record{Scope: p.sc, Name: p.from[o], Live: Live{Outputs: p.outs[o]}}, output)
}
