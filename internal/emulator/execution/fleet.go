package execution

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// fleet is the nodes of a compute. A node comes when a job needs it and goes when it has been idle for long enough: what a caller is shown is what the clock says, so
// that nothing needs to be done at the moment itself. Its owner holds the lock.
type fleet struct {
	clock func() time.Time
	seed  string
	made  int
	nodes []*node
	freed time.Time // when a job last gave nodes back
	moved time.Time // when a node last came or went
}

type node struct {
	id    string
	run   string // "" when it is idle
	since time.Time
}

func (f *fleet) now() time.Time {
	if f.clock == nil {
		return time.Time{}
	}
	return f.clock()
}

func (f *fleet) add(run string) *node {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\n%d", f.seed, f.made) // a hash's Write does not fail
	f.made++
	n := &node{id: fmt.Sprintf("tvmps_%016x_d", h.Sum64()), run: run, since: f.now()}
	f.nodes = append(f.nodes, n)
	f.moved = n.since
	return n
}

// take gives nodes to a run: those that idle, and new ones.
func (f *fleet) take(run string, n int) []*node {
	var out []*node
	for _, x := range f.nodes {
		if len(out) < n && x.run == "" {
			x.run, x.since = run, f.now()
			out = append(out, x)
		}
	}
	for len(out) < n {
		out = append(out, f.add(run))
	}
	return out
}

func (f *fleet) free(nodes []*node) {
	f.freed = f.now()
	for _, x := range nodes {
		x.run, x.since = "", f.freed
	}
}

// Scale is within what a cluster grows and shrinks.
type Scale struct {
	Min, Max int
	Idle     time.Duration // how long a node stays without work
}

// settle lets nodes go and come as the scale says.
func (f *fleet) settle(s Scale) {
	now := f.now()
	idle := slices.Clone(f.nodes)
	idle = slices.DeleteFunc(idle, func(x *node) bool { return x.run != "" })
	slices.SortStableFunc(idle, func(a, b *node) int { return a.since.Compare(b.since) })
	for _, x := range idle {
		gone := x.since.Add(s.Idle)
		if len(f.nodes) <= s.Min || len(f.nodes) <= s.Max && gone.After(now) {
			break
		}
		f.nodes = slices.DeleteFunc(f.nodes, func(y *node) bool { return y == x })
		f.moved = gone
		if len(f.nodes) >= s.Max {
			f.moved = now
		}
	}
	for len(f.nodes) < s.Min {
		f.add("")
	}
}

// Node is a machine of a cluster.
type Node struct {
	ID  string
	Run string // "" when it is idle
}

// Fleet is what a cluster is made of now.
type Fleet struct {
	Nodes   []Node
	Waiting int       // jobs in its queue
	Moved   time.Time // when a node last came or went; zero for never
}

// Fleet tells which nodes a cluster has and which runs are on them.
func (e *Engine) Fleet(sc arm.Scope, compute string, s Scale) Fleet {
	c := e.compute(sc, compute)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fleet.settle(s)
	out := Fleet{Waiting: len(c.queue), Moved: c.fleet.moved}
	for _, n := range c.fleet.nodes {
		out.Nodes = append(out.Nodes, Node{n.id, n.run})
	}
	return out
}

// Freed is when a job last left a compute; zero for never.
func (e *Engine) Freed(sc arm.Scope, compute string) time.Time {
	c := e.compute(sc, compute)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fleet.freed
}

// CancelOn ends the jobs that have nodes of a compute; those in its queue stay there.
func (e *Engine) CancelOn(sc arm.Scope, compute, reason string) {
	c := e.compute(sc, compute)
	c.mu.Lock()
	runs := map[string]bool{}
	for _, n := range c.fleet.nodes {
		runs[n.run] = true
	}
	c.mu.Unlock()
	for name := range runs {
		if j := e.running(sc, name); j != nil {
			j.requestCancel(reason)
		}
	}
}
