package pipeline

import (
	"github.com/azureml-go/azureml/jobs"
)

// Branch runs some steps if a value is true, others if it is not.
type Branch struct {
	step *Step
	when Port
	yes  []*Step
	no   []*Step
}

// If adds a branch on a boolean: an output of a step, or an input of the pipeline. The steps of the branches are added to the
// pipeline as all others are.
func (b *Builder) If(name string, when Port) *Branch {
	br := &Branch{when: when}
	br.step = b.Step(name, br)
	return br
}

// Then adds steps that run if the value is true.
func (br *Branch) Then(steps ...*Step) *Branch {
	br.yes = append(br.yes, steps...)
	return br
}

// Else adds steps that run if it is false.
func (br *Branch) Else(steps ...*Step) *Branch {
	br.no = append(br.no, steps...)
	return br
}

// Loop runs a step again and again.
type Loop struct {
	step  *Step
	body  *Step
	while Port
	most  int
	next  []pass
}

type pass struct {
	from Port
	to   []string
}

// DoWhile adds a loop: the body runs, and again while its boolean output says so, most times at most (1 to 1000).
func (b *Builder) DoWhile(name string, body *Step, while Port, most int) *Loop {
	l := &Loop{body: body, while: while, most: most}
	l.step = b.Step(name, l)
	return l
}

// Next gives an output of the body to inputs of it in the next round.
func (l *Loop) Next(from Port, inputs ...string) *Loop {
	l.next = append(l.next, pass{from, inputs})
	return l
}

// Each runs a step once for each of some items.
type Each struct {
	step  *Step
	body  *Step
	items jobs.Items
	over  Port
	most  *int
}

// ParallelFor adds a loop whose rounds run at the same time: the body runs for each item, which gives it inputs.
func (b *Builder) ParallelFor(name string, body *Step, items ...jobs.Inputs) *Each {
	e := &Each{body: body}
	e.items.List = items
	e.step = b.Step(name, e)
	return e
}

// Over takes the items from a port: a text of JSON.
func (e *Each) Over(items Port) *Each {
	e.over = items
	return e
}

// Named are the items, with names.
func (e *Each) Named(items map[string]jobs.Inputs) *Each {
	e.items.Map = items
	return e
}

// AtOnce sets how many rounds run at the same time. Defaults to all.
func (e *Each) AtOnce(n int) *Each {
	e.most = &n
	return e
}

// Out is what the rounds have written to an output of the body, gathered.
func (e *Each) Out(name string) Port { return e.step.Out(name) }

// block are steps as a branch's node has them.
func (m *making) block(s *Step, field string, steps []*Step) (out jobs.Block) {
	for _, x := range steps {
		if m.has(s.name, field, x) {
			out = append(out, jobExpression(x.name))
		}
	}
	return out
}

func jobExpression(name string) string { return "${{parent.jobs." + name + "}}" }
