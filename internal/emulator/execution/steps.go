package execution

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// maxAhead is how many steps of one pipeline are queued or running at a time.
// The rest have not begun: a queue of ten thousand jobs would only fill memory.
const maxAhead = 256

// skipped is the state of a node that its if_else did not let run.
const skipped = "skipped"

// pipeline runs the steps of a pipeline job, each as soon as those that it
// reads from have completed.
func (j *job) pipeline() error {
	j.ctx = withMemory(j.ctx)
	e, r := j.e, j.snapshot()
	g := j.g
	if j.g = nil; g == nil {
		var faults []*arm.Error
		if g, faults = e.graph(j.ctx, r.Scope, r.Spec); len(faults) > 0 {
			return j.cause(faults[0])
		}
	}
	p, err := newPipelining(j, g)
	if err != nil {
		return j.cause(err)
	}
	now := e.Clock()
	if err := e.store(j.ctx, j.change(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = Running
		}
		r.Started = now
		r.Outputs = destinations(r.Scope, r.Name, &g.spec.commandSpec)
		r.note(map[string]string{"azureml.runsource": "azureml.PipelineRun", "azureml.continue_on_step_failure": pythonBool(bool(g.spec.Settings.ContinueOnStepFailure)), "azureml.rootpipelinerunid": r.Root})
	})); err != nil {
		return errors.Join(j.cause(err), p.log.finish())
	}
	err = p.run()
	j.enter(Finalizing)
	if err == nil {
		err = p.promote()
	}
	return errors.Join(err, p.log.finish())
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// pipelining is a pipeline under way.
type pipelining struct {
	j       *job
	r       *Record // as it began
	g       *graph
	nodes   map[string]*vertex
	ready   []*vertex // what they wait for is there
	rounds  []*round  // ready to be submitted
	running map[string]*round
	ends    chan *round
	failure error
	halted  bool
	reuse   *reuser
	log     *executionLog
}

// vertex is a step, or a loop, and how far it has come.
type vertex struct {
	*step
	waits   int
	next    []*vertex
	state   string // "" not begun, Running, Completed, Failed, Canceled or skipped
	outputs map[string]Output
	runName string            // of the job that put them out
	values  map[string]string // of outputs that are values, once they were asked for
	loop    *looping
}

// round is one job of a node: a step has one, a loop many.
type round struct {
	node  *vertex
	step  *step
	index int // of a loop
	sub   submission
	job   *job
	rec   *Record // when it has ended
	reuse *candidate
	kept  map[string]keptOutput // of a round that completed
}

func newPipelining(j *job, g *graph) (*pipelining, error) {
	p := &pipelining{j: j, r: j.snapshot(), g: g, nodes: map[string]*vertex{}, running: map[string]*round{}, ends: make(chan *round, maxAhead)}
	for _, name := range g.order {
		if s := g.steps[name]; s.loop == "" && name != g.spec.Settings.OnFinalize {
			p.nodes[name] = &vertex{step: s}
		}
	}
	for _, name := range g.order {
		n := p.nodes[name]
		if n == nil {
			continue
		}
		for _, a := range n.after {
			p.nodes[a].next = append(p.nodes[a].next, n)
			n.waits++
		}
		if n.waits == 0 {
			p.ready = append(p.ready, n)
		}
	}
	p.reuse = newReuser(j.e, p.r.Scope, g)
	var err error
	p.log, err = j.executionLog()
	return p, err
}

// run brings all nodes to their ends.
func (p *pipelining) run() error {
	if err := p.all(); err != nil && context.Cause(p.j.ctx) != nil {
		return err
	}
	if name := p.g.spec.Settings.OnFinalize; name != "" { // however the others ended
		failure := p.failure
		p.failure, p.halted = nil, false
		n := &vertex{step: p.g.steps[name]}
		p.nodes[name], p.ready = n, []*vertex{n}
		p.failure = errors.Join(failure, p.all())
	}
	return p.failure
}

// all starts what is ready and takes what ends until nothing is left of both.
func (p *pipelining) all() error {
	stop := p.j.ctx.Done()
	if stop != nil && p.j.ctx.Err() != nil {
		return context.Cause(p.j.ctx)
	}
	for {
		p.begin()
		if len(p.running) == 0 {
			return p.failure
		}
		select {
		case r := <-p.ends:
			p.take(r)
			for more := true; more; { // what has ended meanwhile is followed by one submission
				select {
				case r := <-p.ends:
					p.take(r)
				default:
					more = false
				}
			}
		case <-stop:
			stop = nil
			p.failure = nil
			p.halt(context.Cause(p.j.ctx), "The pipeline was canceled.")
		}
	}
}

// begin starts nodes until none is ready or there are enough.
func (p *pipelining) begin() {
	for !p.halted {
		for len(p.ready) > 0 && len(p.running)+len(p.rounds) < maxAhead {
			n := p.ready[0]
			p.ready = p.ready[1:]
			if err := p.start(n); err != nil {
				p.failed(n, userError("The step %s could not be started: %v", n.name, message(err)))
			}
		}
		if len(p.rounds) == 0 {
			return
		}
		p.submit()
	}
}

// message is an error as a sentence of another: without the code.
func message(err error) string {
	var e *JobError
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

func (p *pipelining) start(n *vertex) error {
	n.state = Running
	switch n.Type {
	case ifElse:
		return p.choose(n)
	case doWhile, parallelFor:
		return p.beginLoop(n)
	}
	return p.plan(n, n.step, -1)
}

// plan makes the job of a step, or of one round of a loop, ready to be submitted.
func (p *pipelining) plan(n *vertex, s *step, index int) error {
	props, err := p.g.job(p.r.Scope, p.r.Name, s, p)
	if err != nil {
		return err
	}
	r := &round{node: n, step: s, index: index}
	own := map[string]string{
		"azureml.runsource": "azureml.StepRun", "azureml.nodeid": s.name, "azureml.pipelinerunid": p.r.Name, "azureml.rootpipelinerunid": p.r.Root,
		"azureml.pipelineComponent": "mastercomponent",
	}
	if s.component != nil {
		own["azureml.moduleid"] = s.component.id
		name, version := (&arm.Location{AssetID: s.component.id}).Asset()
		own["azureml.moduleName"] = name + ":" + version
	}
	if index >= 0 {
		own["azureml.local.iteration"] = strconv.Itoa(index)
	}
	r.sub = submission{sc: p.r.Scope, name: childName(p.r, s.name, index), properties: props, parent: p.r, own: own, memory: memoryOf(p.j.ctx)}
	if err := p.reuse.decide(p.j.ctx, r); err != nil {
		return p.j.cause(err)
	}
	p.rounds = append(p.rounds, r)
	return nil
}

// childName is the name of a step's job. It does not begin with its parent's:
// what lists a job's artifacts by the beginning of their names must not find
// those of its steps.
func childName(parent *Record, step string, index int) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(parent.Scope.Key()+"\n"+parent.Name+"\n"+step+"\n"+strconv.Itoa(index))).String()
}

// submit stores the jobs that are ready, all at once, and starts them.
func (p *pipelining) submit() {
	rounds := p.rounds
	p.rounds = nil
	subs := make([]*submission, len(rounds))
	for i, r := range rounds {
		subs[i] = &r.sub
		if r.reuse != nil {
			r.reuse.apply(&r.sub, p.j.e.Clock())
		}
	}
	p.log.submitting(subs)
	jobs, err := p.j.e.submitAll(p.j.ctx, subs)
	if err != nil {
		for _, r := range rounds {
			r.node.state = Failed
		}
		p.halt(p.j.cause(err), "The pipeline was ended.")
		return
	}
	for i, r := range rounds {
		r.job = jobs[i]
		if r.reuse != nil {
			r.rec = r.sub.ended
			if err := p.registerReused(r); err != nil {
				p.failed(r.node, userError("The step %s failed: %s", r.step.name, message(err)))
				continue
			}
			p.log.reused(r)
			p.ended(r)
			continue
		}
		p.running[r.sub.name] = r
		if p.halted && r.job != nil { // one before it, which was reused, could not be made an asset
			r.job.requestCancel("The pipeline was ended.")
		}
		go func() {
			if r.job == nil { // the engine is closing: the job ends with it
				r.rec = r.sub.rec
			} else {
				<-r.job.done
			}
			p.ends <- r
		}()
	}
}

// halt ends what runs and lets nothing more begin.
func (p *pipelining) halt(err error, reason string) {
	if p.failure == nil {
		p.failure = err
	}
	p.halted, p.rounds = true, nil
	for _, r := range p.running {
		if r.job != nil {
			r.job.requestCancel(reason)
		}
	}
}

func (p *pipelining) goesOn() bool { return bool(p.g.spec.Settings.ContinueOnStepFailure) }

// take is told of a job that has ended.
func (p *pipelining) take(r *round) {
	delete(p.running, r.sub.name)
	if r.rec == nil {
		r.rec = r.job.snapshot()
	}
	p.log.ended(r)
	p.ended(r)
}

func (p *pipelining) ended(r *round) {
	n := r.node
	if r.rec.Status != Completed {
		p.failed(n, stepError(r.step.name, r.rec))
		return
	}
	p.reuse.completed(r)
	if n.runName = r.rec.Name; r.reuse != nil {
		n.runName = r.reuse.run
	}
	if n.loop != nil {
		if err := p.nextRound(n, r); err != nil {
			p.failed(n, userError("The step %s failed: %s", n.name, message(err)))
		}
		return
	}
	n.outputs = r.rec.Outputs
	p.completed(n)
}

// stepError says in the pipeline's error why a step did not complete.
func stepError(name string, r *Record) error {
	if r.Status == Failed {
		msg := "it failed"
		if r.Error != nil {
			msg = r.Error.Message
		}
		return userError("The step %s failed: %s", name, msg)
	}
	return userError("The step %s was canceled: %s", name, r.Reason)
}

// failed ends the pipeline, or, when it goes on, leaves out what depends on the node.
func (p *pipelining) failed(n *vertex, err error) {
	n.state = Failed
	p.rounds = slices.DeleteFunc(p.rounds, func(r *round) bool { return r.node == n }) // those of a loop that cannot begin
	switch {
	case p.halted:
	case p.goesOn():
		p.failure = joined(p.failure, err)
	default:
		p.halt(err, fmt.Sprintf("The step %s failed.", n.name))
	}
}

// joined is one job's error for several steps.
func joined(a, b error) error {
	if a == nil {
		return b
	}
	return userError("%s\n%s", message(a), message(b))
}

// completed lets what waits for the node begin.
func (p *pipelining) completed(n *vertex) {
	n.state = Completed
	if n.control == nil && n.loop == nil {
		n.raw, n.Inputs, n.EnvironmentVariables = nil, nil, nil // of ten thousand steps they are most of the memory
	}
	for _, m := range n.next {
		if m.state != "" {
			continue
		}
		if n.Type == ifElse && m.guard == n.name && m.when != (n.values["condition"] == "true") {
			p.skip(m)
			continue
		}
		if m.waits--; m.waits == 0 {
			p.ready = append(p.ready, m)
		}
	}
}

// skip leaves a node out, and all that reads from it.
func (p *pipelining) skip(n *vertex) {
	if n.state != "" {
		return
	}
	n.state = skipped
	for _, m := range n.next {
		p.skip(m)
	}
}

// output is the address of a step's output.
func (p *pipelining) output(step, output string) (Output, error) {
	n := p.nodes[p.g.owner(step)]
	if n == nil || n.state != Completed {
		return Output{}, fmt.Errorf("the step %q has not ended", step)
	}
	o, ok := n.outputs[output]
	if !ok {
		return Output{}, fmt.Errorf("the step %q has no output %q", step, output)
	}
	return o, nil
}
