package pipeline

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// State is what became of a step in a run.
type State struct {
	Status jobs.Status
	// Reused tells that the result is that of an earlier run.
	Reused bool
	// Duration is how long the step ran, 0 when that is not known.
	Duration time.Duration
}

// String is the state in words, such as "Completed in 2.3s".
func (s State) String() string {
	switch {
	case s.Reused:
		return "Reused"
	case s.Duration > 0:
		unit := 10 * time.Millisecond
		if s.Duration < 100*time.Millisecond {
			unit = time.Millisecond
		} else if s.Duration >= time.Minute {
			unit = time.Second
		}
		return fmt.Sprintf("%s in %s", s.Status, max(s.Duration.Round(unit), unit))
	}
	return string(s.Status)
}

// States gives what became of the steps of a pipeline, from its children, as jobs.Client.Children lists them: by the name of
// the step, which is what the child's name adds to the parent's, else the child's display name. now is the time to which
// running steps are counted.
func States(parent string, children iter.Seq2[*jobs.Run, error], now time.Time) (map[string]State, error) {
	out := map[string]State{}
	for run, err := range children {
		if err != nil {
			return nil, err
		}
		out[childName(parent, run)] = stateOf(run, now)
	}
	return out, nil
}

// AllStates is States with what became of the steps of pipelines within, which are called "outer/inner". children lists those
// of a job:
//
//	pipeline.AllStates(run.Name, func(job string) iter.Seq2[*jobs.Run, error] { return ws.Jobs.Children(ctx, job) }, time.Now())
func AllStates(parent string, children func(job string) iter.Seq2[*jobs.Run, error], now time.Time) (map[string]State, error) {
	out := map[string]State{}
	var walk func(job, path string) error
	walk = func(job, path string) error {
		var within []*jobs.Run // asked for when the list is over
		for run, err := range children(job) {
			if err != nil {
				return err
			}
			out[path+childName(job, run)] = stateOf(run, now)
			if strings.Contains(strings.ToLower(run.Type), "pipeline") {
				within = append(within, run)
			}
		}
		for _, run := range within {
			if err := walk(run.Name, path+childName(job, run)+"/"); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(parent, ""); err != nil {
		return nil, err
	}
	return out, nil
}

func childName(parent string, run *jobs.Run) string {
	if name, ok := strings.CutPrefix(run.Name, parent+"_"); ok {
		return name
	}
	if run.DisplayName != "" {
		return run.DisplayName
	}
	return run.Name
}

func stateOf(run *jobs.Run, now time.Time) State {
	return State{Status: run.Status, Duration: run.Duration(now), Reused: strings.EqualFold(run.Properties["azureml.isreused"], "true")}
}

// called are the names that a step may have in states.
func called(name string, node jobs.Node, paths []string) []string {
	names := []string{name}
	if f := fieldsOf(node); f.display != nil && *f.display != "" && *f.display != name {
		names = append(names, *f.display)
	}
	var out []string
	for _, p := range paths {
		for _, n := range names {
			out = append(out, p+n)
		}
	}
	return out
}

// repeated is the step that a loop repeats, "" for all other steps.
func repeated(node jobs.Node) string {
	switch n := node.(type) {
	case *jobs.DoWhileNode:
		return stepNamed(n.Body)
	case *jobs.ParallelForNode:
		return stepNamed(n.Body)
	}
	return ""
}

// stepNamed is the step that an expression names, or a name alone.
func stepNamed(text string) string {
	if e, ok := wire.ParseExpression(text); ok {
		name, _ := e.Job() // "": no step has that name
		return name
	}
	return text
}

// rank orders states: a step that was repeated shows the state of the round that did worst, or goes on.
func rank(s jobs.Status) int {
	switch s {
	case jobs.Completed:
		return 0
	case jobs.NotStarted, jobs.Queued:
		return 1
	case jobs.Canceled:
		return 3
	case jobs.Failed:
		return 4
	}
	return 2
}

// rounds gives the body of a loop what became of all its rounds.
func (s *sketch) rounds(v *vertex, node jobs.Node, paths []string) {
	var all State
	n := 0
	for _, c := range called(v.name, node, paths) {
		for name, st := range s.states {
			tail, ok := strings.CutPrefix(name, c)
			if _, err := strconv.ParseUint(strings.TrimPrefix(tail, "_"), 10, 32); !ok || tail != "" && (tail[0] != '_' || err != nil) {
				continue
			}
			if n++; n == 1 {
				all = State{Status: st.Status, Reused: true}
			}
			if rank(st.Status) > rank(all.Status) {
				all.Status = st.Status
			}
			all.Duration += st.Duration
			all.Reused = all.Reused && st.Reused
		}
	}
	if v.state = all; n > 1 {
		v.sub += fmt.Sprintf(", %d rounds", n)
	}
}
