package jobs

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Cursor is a place in the stream of a job's events. Its text, which does not change, is what EventsOptions.After takes; it is
// worked out when it is asked for. The text grows with the number of the job's children.
type Cursor struct{ m *mark }

// mark is one step of a stream: what an event changed, after the marks before it. A chain of marks begins at a whole place,
// which is made again from time to time, so that chains stay short.
type mark struct {
	before *mark
	whole  *place // at the beginning of a chain
	length int

	run    string
	kind   EventKind
	status Status
	key    string // a log file, or a metric
	end    int64  // of the line in its file
	value  reported
}

// place is where a reader is: in each run that is under way, and which runs it has seen the end of.
type place struct {
	Job  string               `json:"j"`
	Runs map[string]*position `json:"r,omitempty"`
	// Done are the runs whose end was told. Those that begin with the job's name have '_' in its place.
	Done []string `json:"d,omitempty"`

	done map[string]bool
}

// position is where a reader is in one run: the state last told, for each log file the end of the last line, for each metric
// the last value.
type position struct {
	Status  Status              `json:"s,omitempty"`
	Files   map[string]int64    `json:"f,omitempty"`
	Metrics map[string]reported `json:"m,omitempty"`
	Failed  bool                `json:"e,omitempty"`
}

// maxMarks is how long a chain of marks gets.
const maxMarks = 256

func newPlace(job string) *place {
	return &place{Job: job, Runs: map[string]*position{}, done: map[string]bool{}}
}

func (p *place) copy() *place {
	c := newPlace(p.Job)
	for name, r := range p.Runs {
		c.Runs[name] = r.copy()
	}
	maps.Copy(c.done, p.done)
	return c
}

func (p *position) copy() *position {
	return &position{p.Status, maps.Clone(p.Files), maps.Clone(p.Metrics), p.Failed}
}

// of is a reader's position in a run, which it may keep.
func (p *place) of(run string) *position {
	r := p.Runs[run]
	if r == nil {
		return &position{Files: map[string]int64{}, Metrics: map[string]reported{}}
	}
	r = r.copy()
	if r.Files == nil {
		r.Files = map[string]int64{}
	}
	if r.Metrics == nil {
		r.Metrics = map[string]reported{}
	}
	return r
}

// apply makes the change of one mark.
func (p *place) apply(m *mark) {
	if m.kind == StatusChanged && m.status.Ended() {
		delete(p.Runs, m.run)
		p.done[m.run] = true
		return
	}
	r := p.Runs[m.run]
	if r == nil {
		r = p.of(m.run)
		p.Runs[m.run] = r
	}
	switch m.kind {
	case StatusChanged:
		r.Status = m.status
	case LogLine:
		if r.Files == nil {
			r.Files = map[string]int64{}
		}
		r.Files[m.key] = m.end
	case MetricLogged:
		if r.Metrics == nil {
			r.Metrics = map[string]reported{}
		}
		r.Metrics[m.key] = m.value
	case ErrorRaised:
		r.Failed = true
	}
}

// after puts a mark behind others.
func (m *mark) after(before *mark) {
	if before.length < maxMarks {
		m.before, m.length = before, before.length+1
		return
	}
	m.whole = before.place()
	m.whole.apply(m)
}

// place is the whole place of a mark.
func (m *mark) place() *place {
	var chain []*mark
	at := m
	for ; at.whole == nil; at = at.before {
		chain = append(chain, at)
	}
	p := at.whole.copy()
	for _, c := range slices.Backward(chain) {
		p.apply(c)
	}
	return p
}

// String is the cursor's text, "" for none.
func (c Cursor) String() string {
	if c.m == nil {
		return ""
	}
	p := c.m.place()
	for _, name := range slices.Sorted(maps.Keys(p.done)) {
		p.Done = append(p.Done, p.short(name))
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "" // text and integers: it cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// MarshalText gives the cursor's text.
func (c Cursor) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// short writes a run's name by that of the job.
func (p *place) short(run string) string {
	if rest, ok := strings.CutPrefix(run, p.Job+"_"); ok {
		return "_" + rest
	}
	return run
}

func parseCursor(s, job string) (*place, error) {
	p := newPlace(job)
	if s == "" {
		return p, nil
	}
	p.Job = ""
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, p)
	}
	if err != nil || p.Job == "" {
		return nil, errors.New("After is no cursor of an event")
	}
	if p.Job != job {
		return nil, fmt.Errorf("After is a cursor of another job, %q", p.Job)
	}
	if p.Runs == nil {
		p.Runs = map[string]*position{}
	}
	for name, r := range p.Runs {
		if r == nil {
			return nil, fmt.Errorf("After is no cursor of an event: %s", name)
		}
		for f, n := range r.Files {
			if n < 0 {
				return nil, fmt.Errorf("After is no cursor of an event: %s", f)
			}
		}
	}
	for _, d := range p.Done {
		if strings.HasPrefix(d, "_") {
			d = p.Job + d
		}
		p.done[d] = true
	}
	p.Done = nil
	return p, nil
}
