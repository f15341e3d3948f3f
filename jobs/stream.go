package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// stream follows a job with all its children: a follower for each run, whose events come together here.
type stream struct {
	c        *Client
	op       string
	job      string
	w        watching
	at       *mark
	start    *place
	children bool

	gate    chan struct{}
	hurry   context.Context // is done when the job itself has ended
	ended   context.CancelFunc
	events  chan told
	working sync.WaitGroup
	known   map[string]*kin // the runs that were found; the finder's alone
}

// told is an event of a follower, or why it gave up.
type told struct {
	e   Event
	err error
}

// kin is a run that the finder has seen.
type kin struct {
	parent bool // it may have children
	ended  bool
	final  bool // its children were listed after its end
}

const (
	// inFlight is how many requests of a stream are under way at once.
	inFlight = 16
	// slowestFind is the longest pause between two looks for new children.
	slowestFind = 2 * time.Second
)

func newStream(c *Client, op, name string, w watching, at *place, children bool) *stream {
	return &stream{
		c: c, op: op, job: name, w: w, start: at, at: &mark{whole: at}, children: children,
		gate: make(chan struct{}, inFlight), events: make(chan told, inFlight), known: map[string]*kin{},
	}
}

// hasChildren tells the types of jobs that start others.
func hasChildren(kind string) bool {
	switch strings.ToLower(kind) {
	case "pipeline", "sweep", "automl":
		return true
	}
	return false
}

func (s *stream) run(ctx context.Context, yield func(Event, error) bool) {
	if s.start.done[s.job] {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.hurry, s.ended = context.WithCancel(ctx)
	defer s.ended()
	root := s.follow(s.job, "", "", "", false)
	s.working.Add(1)
	go s.find(ctx)
	s.working.Add(1)
	go s.pump(ctx, root)
	go func() {
		s.working.Wait()
		close(s.events)
	}()
	defer func() {
		cancel()
		for range s.events { // until all are gone
		}
	}()
	give := func(t told) bool {
		if t.err == nil {
			t.e.Cursor.m.after(s.at)
			s.at = t.e.Cursor.m
		}
		return yield(t.e, t.err) && t.err == nil
	}
	var last []told // the job's own end, which is told when its children's was
	for t := range s.events {
		if t.err == nil && t.e.Job == s.job && (t.e.Kind == ErrorRaised || t.e.Kind == StatusChanged && t.e.Status.Ended()) {
			last = append(last, t)
			if t.e.Kind == StatusChanged {
				s.ended()
			}
			continue
		}
		if !give(t) {
			return
		}
	}
	for _, t := range last {
		if !give(t) {
			return
		}
	}
}

// follow makes the follower of a run.
func (s *stream) follow(name, step, parent, kind string, child bool) *follower {
	f := newFollower(s.c, s.op, name, s.w, s.start.of(name))
	f.step, f.parent, f.kind, f.child, f.gate = step, parent, kind, child, s.gate
	if child {
		f.hurry = s.hurry
	}
	return f
}

// pump passes on what a follower yields.
func (s *stream) pump(ctx context.Context, f *follower) {
	defer s.working.Done()
	f.run(ctx, func(e Event, err error) bool { return s.send(ctx, told{e, err}) })
}

func (s *stream) send(ctx context.Context, t told) bool {
	if t.err != nil { // a reader that is there is told; one that has gone drains
		s.events <- t
		return false
	}
	select {
	case s.events <- t:
		return true
	case <-ctx.Done():
		if t.err == nil {
			s.events <- told{err: fmt.Errorf("%s: %w", s.op, ctx.Err())}
		}
		return false
	}
}

// find looks for children until the job has ended, and starts their followers.
func (s *stream) find(ctx context.Context) {
	defer s.working.Done()
	if !s.children {
		return
	}
	seen, idle := s.c.rest.Clock().Now(), 0
	for {
		over := s.w.present || s.hurry.Err() != nil
		more, found, err := s.look(ctx)
		switch {
		case err == nil:
			seen = s.c.rest.Clock().Now()
			if !more || over {
				return
			}
			if idle++; found {
				idle = 0
			}
		case isStatus(err, http.StatusNotFound): // the follower of the job says so
			return
		default:
			f := &follower{c: s.c, name: s.job, w: s.w}
			if !passing(err) || !f.bridge(ctx, err, seen) {
				s.send(ctx, told{err: err})
				return
			}
		}
		pause := min(pollPause(s.c, s.w.poll, idle), max(s.w.poll, slowestFind))
		in := s.hurry
		if over {
			in = ctx
		}
		if s.c.rest.Clock().Sleep(in, pause) != nil && ctx.Err() != nil {
			return
		}
	}
}

// look lists the children of all runs that may have some. more says whether there can be any later.
func (s *stream) look(ctx context.Context) (more, found bool, err error) {
	root := s.known[s.job]
	if root == nil {
		kind, err := s.kind(ctx)
		if err != nil {
			return true, false, err
		}
		if !hasChildren(kind) {
			return false, false, nil
		}
		root = &kin{parent: true}
		s.known[s.job] = root
	}
	for again := true; again; {
		again = false
		for _, name := range slices.Sorted(maps.Keys(s.known)) {
			k := s.known[name]
			if !k.parent || k.final {
				continue
			}
			ended := k.ended
			fresh, err := s.list(ctx, name)
			if err != nil {
				return true, found, err
			}
			k.final = ended
			found, again = found || fresh, again || fresh
		}
	}
	return true, found, nil
}

// kind is the job's type.
func (s *stream) kind(ctx context.Context) (string, error) {
	run, err := s.c.get(ctx, s.op, s.job)
	if isStatus(err, http.StatusNotFound) { // a step of a pipeline
		d, err := s.c.details(ctx, s.op, s.job)
		if err != nil {
			return "", err
		}
		return d.kind(), nil
	}
	if err != nil {
		return "", err
	}
	return run.Type, nil
}

// list starts followers for the new children of a run.
func (s *stream) list(ctx context.Context, parent string) (found bool, err error) {
	for h, err := range s.c.children(ctx, s.op, parent) {
		if err != nil {
			return found, err
		}
		if h.RunID == "" {
			return found, errors.New(s.op + ": run history lists a child without a name")
		}
		k := s.known[h.RunID]
		if k == nil {
			kind := h.kind()
			k = &kin{parent: hasChildren(kind)}
			s.known[h.RunID] = k
			found = true
			if !s.start.done[h.RunID] {
				if kind == "" {
					kind = "Command"
				}
				s.working.Add(1)
				go s.pump(ctx, s.follow(h.RunID, h.DisplayName, parent, kind, true))
			}
		}
		k.ended = h.Status.Ended()
	}
	return found, nil
}
