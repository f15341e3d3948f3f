package execution

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// choose follows an if_else's condition.
func (p *pipelining) choose(n *vertex) error {
	value, err := p.text(n.control.condition)
	if err != nil {
		return err
	}
	b, err := truth(value)
	if err != nil {
		return fmt.Errorf("its condition: %w", err)
	}
	n.values = map[string]string{"condition": strconv.FormatBool(b)}
	p.log.printf("The condition of %s is %t", n.name, b)
	p.completed(n)
	return nil
}

// truth is a boolean as programs of any language write it.
func truth(value string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true", "1", "yes":
		return true, nil
	case "false", "0", "no", "":
		return false, nil
	}
	return false, fmt.Errorf("want true or false, got %q", value)
}

// text is what a control node's own binding comes to.
func (p *pipelining) text(text string) (string, error) {
	if m := fromStep.FindStringSubmatch(text); m != nil {
		return p.value(m[1], m[2])
	}
	return p.g.bind(text), nil
}

// looping is a loop under way.
type looping struct {
	body  *step // of the next round
	done  []*Record
	items *items
	begun int
	ended int
}

func (p *pipelining) beginLoop(n *vertex) error {
	n.loop = &looping{body: n.body.alone()}
	if n.Type == doWhile {
		n.loop.begun = 1
		return p.plan(n, n.loop.body, 0)
	}
	it := n.control.items
	if it == nil {
		text, err := p.text(n.control.condition)
		if err != nil {
			return err
		}
		if it, err = readItems(text); err != nil {
			return fmt.Errorf("its items: %w", err)
		}
	}
	n.loop.items, n.loop.done = it, make([]*Record, len(it.values))
	width := n.control.Width
	if width == 0 {
		width = len(it.values)
	}
	for range min(width, len(it.values)) {
		if err := p.nextItem(n); err != nil {
			return err
		}
	}
	return nil
}

// alone is a loop's body: its rounds do not write to one place. The last one's
// outputs, or all together, become those of the loop.
func (s *step) alone() *step {
	c := *s
	c.Outputs = map[string]*stepOutput{}
	for k, o := range s.Outputs {
		if o != nil {
			c.Outputs[k] = &stepOutput{Type: o.Type, Mode: o.Mode}
		}
	}
	return &c
}

func (p *pipelining) nextItem(n *vertex) error {
	l := n.loop
	s, err := l.body.with(l.items.values[l.begun])
	if err != nil {
		return err
	}
	for k := range l.items.values[l.begun] {
		if s.component.Inputs[k] == nil {
			return fmt.Errorf("its items: the step %q has no input %q; it has: %s", s.name, k, strings.Join(sorted(s.component.Inputs), ", "))
		}
	}
	s.DisplayName = n.roundName(l.begun)
	l.begun++
	return p.plan(n, s, l.begun-1)
}

// roundName is what a round's run is called.
func (n *vertex) roundName(i int) string {
	name := n.body.DisplayName
	if name == "" {
		name = n.body.name
	}
	return name + "_" + strconv.Itoa(i)
}

// nextRound takes a round's end and begins another, or ends the loop.
func (p *pipelining) nextRound(n *vertex, r *round) error {
	l := n.loop
	l.ended++
	if n.state != Running {
		return nil
	}
	if n.Type == parallelFor {
		l.done[r.index] = r.said()
		if l.begun < len(l.items.values) {
			return p.nextItem(n)
		}
		if l.ended < len(l.items.values) {
			return nil
		}
		return p.gather(n)
	}
	n.outputs, n.values = r.rec.Outputs, nil
	again := l.begun < *n.control.Limits.Max
	if k := n.control.condition; again && k != "" {
		v, err := p.j.e.literal(p.j.ctx, r.said(), k)
		if err != nil {
			return err
		}
		if again, err = truth(v); err != nil {
			return fmt.Errorf("its condition %s: %w", k, err)
		}
	}
	if !again {
		if err := p.deliver(n, n.body.Outputs); err != nil {
			return err
		}
		p.completed(n)
		return nil
	}
	next := *l.body
	next.Inputs, next.DisplayName = maps.Clone(l.body.Inputs), n.roundName(l.begun)
	if next.Inputs == nil {
		next.Inputs = map[string]*stepInput{}
	}
	for from, to := range n.control.Mapping {
		k := lastName(from)
		for _, t := range to {
			t = lastName(t)
			if literalType(n.body.component.Inputs[t].Type) {
				v, err := p.j.e.literal(p.j.ctx, r.said(), k)
				if err != nil {
					return err
				}
				value := scalar(v)
				next.Inputs[t] = &stepInput{Type: "literal", Value: &value}
				continue
			}
			in := &stepInput{Type: portType(n.body.component.Inputs[t].Type), URI: r.rec.Outputs[k].URI, step: n.body.name}
			if before := l.body.Inputs[t]; before != nil {
				in.Mode = before.Mode
			}
			next.Inputs[t] = in
		}
	}
	l.body = &next
	l.begun++
	return p.plan(n, &next, l.begun-1)
}

// said is the record of the run that put out what a round has: of a reused one, the earlier run's.
func (r *round) said() *Record {
	if r.reuse == nil {
		return r.rec
	}
	c := *r.rec
	c.Name = r.reuse.run
	return &c
}

// gather makes the outputs of all rounds those of a parallel_for: files become
// an MLTable with a folder for each round, values one JSON text.
func (p *pipelining) gather(n *vertex) error {
	l := n.loop
	names := l.items.keys
	if names == nil {
		for i := range l.items.values {
			names = append(names, strconv.Itoa(i))
		}
	}
	n.outputs, n.values = map[string]Output{}, map[string]string{}
	for _, k := range sorted(n.body.component.Outputs) {
		if literalType(n.body.component.Outputs[k].Type) {
			list, dict := []string{}, map[string]string{}
			for i, r := range l.done {
				v, err := p.j.e.literal(p.j.ctx, r, k)
				if err != nil {
					return err
				}
				list, dict[names[i]] = append(list, v), v
			}
			var all any = list
			if l.items.keys != nil {
				all = dict
			}
			b, err := json.Marshal(all)
			if err != nil {
				return err
			}
			n.values[k] = string(b)
			continue
		}
		to := p.r.Scope.DatastoreURI("workspaceblobstore", "azureml/"+childName(p.r, n.name, -1)+"/"+k+"/")
		table := "type: mltable\npaths:\n"
		for i, r := range l.done {
			if err := p.copyInto(r.Outputs[k].URI, to+names[i]+"/"); err != nil {
				return err
			}
			table += "  - folder: ./" + names[i] + "\n"
		}
		if err := p.write(to+"MLTable", table); err != nil {
			return err
		}
		n.outputs[k] = Output{Type: "mltable", URI: to}
	}
	outs := maps.Clone(n.body.Outputs)
	if outs == nil {
		outs = map[string]*stepOutput{}
	}
	maps.Copy(outs, n.Outputs)
	if err := p.deliver(n, outs); err != nil {
		return err
	}
	p.completed(n)
	return nil
}
